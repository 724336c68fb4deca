import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Block, readBlocks } from './blocks.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A page that people write, or that is made and stands among those. */
export interface Page {
  /** From the root of the project. */
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** The pages beside the sources, and those of docs/. Its folders are made by programs and have tests of their own. */
export async function readPages(): Promise<readonly Page[]> {
  const isPage = (name: string): boolean => name.endsWith('.md');
  const names = [
    ...(await readdir(root)).filter(isPage),
    ...(await readdir(path.join(root, 'docs'))).filter(isPage).map((name) => `docs/${name}`),
  ];
  return Promise.all(
    names.toSorted().map(async (name) => {
      const text = await readFile(path.join(root, name), 'utf8');
      return { name, text, blocks: readBlocks(text) };
    }),
  );
}

/** A page's words without its blocks, which have rules of their own; lines stay where they are. */
export const proseOf = ({ text }: Pick<Page, 'text'>): string =>
  text.replaceAll(/^```[\s\S]*?^```$/gm, (block) => block.replaceAll(/[^\n]/g, ''));
