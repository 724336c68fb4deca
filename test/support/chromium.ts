import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** Chromium of this machine, if it has one. */
export const chromium: string | undefined = names.find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

/** A page, and the width of the window that it is to be read in. */
export interface View {
  readonly page: string;
  readonly width: number;
}

/** How it came out. */
export interface Look {
  /** What does not fit into the window's width, in pixels. */
  readonly overflow: number;
  readonly text: string;
}

/** Opens each in a frame of its width, measures it from outside, and gives what was seen and what the browser complained of. */
export async function lookAt(views: readonly View[]): Promise<{ looks: Look[]; complaints: string[] }> {
  const frames = views.map(
    ({ page, width }) =>
      `<iframe width="${width}" height="900" srcdoc="${page.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"></iframe>`,
  );
  const { stdout, stderr } = await open(`${frames.join('')}<script>${measure}</script>`);
  const seen = /<pre>([\s\S]*)<\/pre>/.exec(stdout)?.[1];
  if (seen === undefined) throw new Error(`the pages did not load: ${stderr}`);
  const complaints = stderr.split('\n').filter((line) => line.includes('CONSOLE'));
  return { looks: JSON.parse(decodeURIComponent(seen)), complaints };
}

const measure = `onload = () => {
  const looks = [...document.querySelectorAll('iframe')].map(({ contentDocument: { documentElement, body } }) => ({
    overflow: documentElement.scrollWidth - documentElement.clientWidth,
    text: body.innerText,
  }));
  const seen = document.createElement('pre');
  seen.textContent = encodeURIComponent(JSON.stringify(looks));
  document.body.replaceChildren(seen);
};`;

async function open(body: string): Promise<{ stdout: string; stderr: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-page-'));
  const file = path.join(folder, 'views.html');
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--enable-logging=stderr',
  ];
  try {
    await writeFile(file, `<!doctype html><meta charset="utf-8"><body>${body}</body>`);
    return await promisify(execFile)(
      chromium ?? '',
      [...flags, `--user-data-dir=${folder}`, '--dump-dom', `file://${file}`],
      { maxBuffer: 1 << 26 },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
