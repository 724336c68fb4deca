import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

/** TypeScript as an editor has it. */
export interface LanguageServer extends AsyncDisposable {
  /** What is shown at each `?` in a comment of a file, in their order: the end of a name stands right before it. */
  hover(file: string): Promise<string[]>;
}

interface Answer {
  readonly id?: number | string;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Starts TypeScript's language server on a project. */
export async function startLanguageServer(folder: string): Promise<LanguageServer> {
  const child = spawn(process.execPath, [tsc, '--lsp', '--stdio'], { cwd: folder });
  const waiting = new Map<number, (answer: Answer) => void>();
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let count = 0;
  const send = (message: object): void => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  child.stdout.on(
    'data',
    readMessages((answer) => {
      if (typeof answer.id === 'number' && answer.method === undefined) waiting.get(answer.id)?.(answer);
      // It asks for settings and the like: an editor that has none.
      else if (answer.id !== undefined) send({ id: answer.id, result: null });
    }),
  );
  const ask = (method: string, params?: object): Promise<unknown> => {
    const id = ++count;
    send({ id, method, ...(params && { params }) });
    return new Promise((resolve, reject) => {
      ended.then(() => reject(new Error(`the language server ended before it answered ${method}`)));
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id);
        if (error === undefined) resolve(result);
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  };
  await ask('initialize', {
    processId: process.pid,
    rootUri: pathToFileURL(folder).href,
    capabilities: { textDocument: { hover: { contentFormat: ['markdown'] } } },
  });
  send({ method: 'initialized', params: {} });
  return {
    async hover(file) {
      const uri = pathToFileURL(file).href;
      const text = await readFile(file, 'utf8');
      send({
        method: 'textDocument/didOpen',
        params: { textDocument: { uri, languageId: 'typescript', version: 1, text } },
      });
      const shown: string[] = [];
      for (const [line, code] of text.split('\n').entries()) {
        for (const { index } of code.matchAll(/\/\*\?\*\//g)) {
          const position = { line, character: index - 1 };
          shown.push(textOf(await ask('textDocument/hover', { textDocument: { uri }, position })));
        }
      }
      return shown;
    },
    async [Symbol.asyncDispose]() {
      await ask('shutdown');
      send({ method: 'exit' });
      await ended;
    },
  };
}

/** Takes messages out of a stream: a length, an empty line, and as many bytes. */
function readMessages(take: (answer: Answer) => void): (chunk: Buffer) => void {
  let read = Buffer.alloc(0);
  return (chunk) => {
    read = Buffer.concat([read, chunk]);
    for (;;) {
      const head = /^Content-Length: (\d+)\r\n(?:[^\r]+\r\n)*\r\n/.exec(read.toString('latin1'));
      if (head === null) return;
      const end = head[0].length + Number(head[1]);
      if (read.length < end) return;
      take(JSON.parse(read.toString('utf8', head[0].length, end)));
      read = read.subarray(end);
    }
  };
}

function textOf(hover: unknown): string {
  if (typeof hover !== 'object' || hover === null) return '';
  const contents: unknown = Reflect.get(hover, 'contents');
  const value: unknown =
    typeof contents === 'object' && contents !== null ? Reflect.get(contents, 'value') : contents;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
