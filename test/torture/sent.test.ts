import { expect, test } from 'vitest';
import { listStatements } from './sent.ts';

/** A message of the protocol that carries strings. */
function message(letter: string, ...strings: readonly string[]): Buffer {
  const body = Buffer.from(strings.map((text) => `${text}\0`).join(''));
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(letter), length, body]);
}

test('statements are read from what goes over the line, without the comments before them', () => {
  const long = `select ${'1, '.repeat(200)}2`;
  const sent = [
    message('Q', 'begin'),
    message('Q', '--> statement-breakpoint\ncall a()'),
    message('Q', long),
  ];
  expect(listStatements(Buffer.concat(sent))).toEqual(['begin', 'call a()', long]);
  expect(listStatements(message('P', 'name', 'select $1'))).toEqual(['name', 'select $1']);
  expect(listStatements(message('P', '', 'select $1'))).toEqual(['select $1']);
  expect(listStatements(Buffer.alloc(0))).toEqual([]);
});
