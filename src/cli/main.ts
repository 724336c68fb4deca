#!/usr/bin/env node
import { CommanderError } from 'commander';
import { type OperationError, toOperationError } from '../connection/errors.ts';
import { isSqlState } from '../connection/sqlstate.ts';
import { createRedactor, parseTarget } from '../connection/url.ts';
import { findAsk } from './ask.ts';
import { commands } from './commands.ts';
import { readUrl } from './database-url.ts';
import { formatError, formatJson, formatStop, leftBehind, unexpected } from './output.ts';
import { buildProgram, type Invocation } from './program.ts';
import { createProgress, forStream } from './terminal/progress.ts';
import { readVersion } from './version.ts';

// The only place that prints to standard output and sets the exit code.

/** A guess until the command line is parsed: what is wrong with it has to be said as JSON, too. */
let json = process.argv.includes('--json');
const progress = createProgress(process.stderr);
const interrupt = new AbortController();

/** Every session is cut off before; this is for what hangs elsewhere, such as a file system that does not answer. */
const leaveAfterMs = 1_800;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // Whoever presses a second time does not want to wait for the server's answer.
    if (interrupt.signal.aborted) process.exit(5);
    progress.line(`${signal}: stopping the work on the server … (again: leave at once)`);
    interrupt.abort(signal);
    setTimeout(() => {
      if (!isEnded) fail(running, leftBehind(running ?? 'the command', signal));
      process.exit();
    }, leaveAfterMs).unref();
  });
}

// Suspended, we could not step back for a trade that waits behind us, and what is held would stay held.
process.on('SIGTSTP', () => {
  progress.line(
    'not suspended: locks that are held would stay. Ctrl-C stops, and the same command goes on; `multi-pair-db pause`, from another terminal, lets a run rest',
  );
});

let running: string | undefined;
let redact = createRedactor('');
let isPrinted = false;
/** The result or the error has been said; all that is left is to close things. */
let isEnded = false;

// A driver can throw where nobody catches it: postgres.js asks for the array types by itself. That ends in words, too.
process.on('uncaughtException', (cause) => {
  // What the driver throws there has ended the command already, where a statement of ours was waiting behind its own.
  if (isEnded && (process.exitCode ?? 0) !== 0) process.exit();
  const isServers = 'code' in cause && isSqlState(cause.code);
  fail(running, isServers ? toOperationError(cause, {}, redact) : unexpected(cause, redact));
  process.exit();
});

// `… | head` closes the pipe early, which is no error. Where the output is lost for another reason, it is one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(
    `error: the output can’t be written (${error.message}), which says nothing about the work: \`multi-pair-db status\` shows what is there\n`,
  );
  process.exitCode ||= 5;
});
// Standard error may be closed, too: that nobody reads the progress is no reason to stop.
process.stderr.on('error', () => {});

async function dispatch(invocation: Invocation): Promise<void> {
  const { command } = invocation;
  json = invocation.json;
  try {
    const url = readUrl(invocation.url);
    redact = createRedactor(url);
    for (const note of parseTarget(url).notes) progress.line(redact(note));
    const ask = json ? undefined : findAsk(process.stdin, process.stderr, interrupt.signal);
    const { exitCode, result, text } = await invocation.run({
      url,
      release,
      signal: interrupt.signal,
      progress,
      ...(ask === undefined ? {} : { ask }),
    });
    progress.clear();
    print(json ? formatJson({ command, exitCode, result }) : forStream(text, process.stdout));
    isEnded = true;
    process.exitCode = exitCode;
  } catch (cause) {
    const error = unexpected(cause, redact);
    const isStopped = interrupt.signal.aborted && error.code === 'INTERRUPTED';
    if (isStopped && progress.share !== undefined) fail(command, error, formatStop(error, progress.share));
    else fail(command, error);
  }
}

function fail(command: string | undefined, error: OperationError, words = formatError(error)): void {
  progress.clear();
  if (json && !isPrinted) print(formatJson({ command, exitCode: error.exitCode, error }));
  else process.stderr.write(`${forStream(words, process.stderr)}\n`);
  isEnded = true;
  process.exitCode = error.exitCode;
}

function print(text: string): void {
  isPrinted = true;
  if (text !== '') process.stdout.write(`${text}\n`);
}

const release = readVersion();
const program = buildProgram(commands, release, dispatch).hook('preSubcommand', (_program, command) => {
  running = command.name();
});
// The help that commander shows where no command is given.
if (json) program.configureOutput({ writeErr: () => {} });
try {
  await program.parseAsync();
} catch (cause) {
  // Commander ends so where it has shown help or the version.
  if (!(cause instanceof CommanderError)) fail(running, unexpected(cause));
}
