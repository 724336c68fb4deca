import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A fenced block of a page. */
export interface Block {
  /** What stands behind the fence: `ts`, `sh`, `yaml`; empty where nothing does. */
  readonly language: string;
  readonly text: string;
  /** The line of the page on which its text begins, from 1. */
  readonly line: number;
  /** The file that it shows, from a first line like `// src/settle.ts` or `# .github/workflows/test.yml`. */
  readonly file: string | undefined;
}

/** The fenced blocks of a page of this project (`docs/adopt.md`), in its order. */
export async function blocksOf(page: string): Promise<readonly Block[]> {
  return readBlocks(await readFile(path.join(root, page), 'utf8'));
}

/** The fenced blocks of a Markdown text. A fence that is never closed is an error: all that follows would be left out. */
export function readBlocks(markdown: string): readonly Block[] {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const language = /^```(\w*)$/.exec(lines[at] ?? '')?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    if (end === -1) throw new Error(`the block that begins on line ${at + 1} is not closed`);
    const [first = ''] = lines.slice(at + 1, end);
    const file = /^(?:\/\/|#) ((?:[\w.-]+\/)*[\w.-]+\.\w+)$/.exec(first)?.[1];
    blocks.push({ language, text: `${lines.slice(at + 1, end).join('\n')}\n`, line: at + 2, file });
    at = end;
  }
  return blocks;
}

/** The commands of a page's `sh` blocks, without what is said beside them. A line that ends in a backslash goes on. */
export function commandsOf(blocks: readonly Block[]): readonly string[] {
  return blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.replaceAll(/\\\n\s*/g, '').split('\n'))
    .map((line) => line.replace(/(^|\s)# .*$/, '').trim())
    .filter((line) => line !== '');
}
