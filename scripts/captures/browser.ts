import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { chromium } from '../../test/support/chromium.ts';

/** How a page is looked at. */
export interface View {
  readonly width: number;
  readonly scheme: 'light' | 'dark';
}

/** A browser that takes pictures of pages, from their top to their end. */
export interface Camera extends AsyncDisposable {
  /** A page as a PNG. */
  photograph(page: string, view: View): Promise<Buffer>;
}

/** Opens Chromium, and speaks its DevTools protocol over a pipe: a message a NUL, and no port that others could reach. */
export async function openCamera(): Promise<Camera> {
  if (chromium === undefined) throw new Error('there is no Chromium on this machine');
  const profile = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-camera-'));
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--hide-scrollbars',
  ];
  const child = spawn(chromium, [...flags, `--user-data-dir=${profile}`, '--remote-debugging-pipe'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const call = speak(child.stdio[3] as Writable, child.stdio[4] as Readable);
  const { targetId } = await call<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await call<{ sessionId: string }>('Target.attachToTarget', {
    targetId,
    flatten: true,
  });
  const ask: Call = (method, parameters) => call(method, parameters, sessionId);
  return {
    photograph: async (page, view) => Buffer.from(await take(ask, page, view), 'base64'),
    [Symbol.asyncDispose]: async () => {
      await call('Browser.close', {});
      await exited;
      await rm(profile, { recursive: true, force: true });
    },
  };
}

type Call = <Result>(method: string, parameters: object, sessionId?: string) => Promise<Result>;

async function take(call: Call, page: string, { width, scheme }: View): Promise<string> {
  await call('Emulation.setDeviceMetricsOverride', {
    width,
    height: 800,
    deviceScaleFactor: 1,
    mobile: false,
  });
  await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
  const { frameTree } = await call<{ frameTree: { frame: { id: string } } }>('Page.getFrameTree', {});
  await call('Page.setDocumentContent', { frameId: frameTree.frame.id, html: page });
  const { cssContentSize } = await call<{ cssContentSize: { height: number } }>('Page.getLayoutMetrics', {});
  const clip = { x: 0, y: 0, width, height: Math.ceil(cssContentSize.height), scale: 1 };
  const { data } = await call<{ data: string }>('Page.captureScreenshot', {
    captureBeyondViewport: true,
    clip,
  });
  return data;
}

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

function speak(to: Writable, from: Readable): Call {
  const waiting = new Map<number, (reply: Reply) => void>();
  let rest = '';
  from.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0');
    rest = messages.pop() ?? '';
    for (const message of messages) {
      const reply: Reply = JSON.parse(message);
      if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
    }
  });
  let last = 0;
  return (method, params, sessionId) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id);
        if (error !== undefined) reject(new Error(`${method}: ${error.message}`));
        // What the protocol's own reference says that the method gives.
        else resolve(result as never);
      });
      to.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
    });
}
