import { expect, test } from 'vitest';
import { copyProject, type ProjectCopy } from '../support/project-copy.ts';

/** What a recipe says to do: a change of a file, or a command. */
type Step = { readonly diff: string } | { readonly command: string };

function readSteps(markdown: string): Step[] {
  const recipes = markdown.slice(markdown.indexOf('## 1.'), markdown.indexOf('## What we hold to'));
  return [...recipes.matchAll(/```(diff|sh)\n([\s\S]*?)```/g)].flatMap(([, kind, text = '']): Step[] =>
    kind === 'diff'
      ? [{ diff: text }]
      : text
          .split('\n')
          .filter((line) => line !== '')
          .map((command) => ({ command })),
  );
}

async function follow(copy: ProjectCopy, diff: string): Promise<void> {
  const [head = '', ...lines] = diff.split('\n').slice(0, -1);
  const file = head.replace('--- ', '');
  const pick = (sign: string): string =>
    lines
      .filter((line) => line === '' || line.startsWith(' ') || line.startsWith(sign))
      .map((line) => line.slice(1))
      .join('\n');
  if (lines.every((line) => line.startsWith('+'))) await copy.write(file, `${pick('+')}\n`);
  else await copy.replace(file, pick('-'), pick('+'));
}

test('the recipes of CONTRIBUTING.md, word for word; then the checks and the tests in process are green', async () => {
  await using copy = await copyProject();
  const steps = readSteps(await copy.read('CONTRIBUTING.md'));
  expect(steps.length).toBeGreaterThanOrEqual(12);
  for (const step of steps) {
    if ('diff' in step) {
      await follow(copy, step.diff);
      continue;
    }
    const ended = await copy.shell(step.command);
    expect(ended, step.command).toMatchObject({ code: 0 });
    if (step.command.endsWith('--help')) expect(ended.output).toContain('the tables of this schema');
  }
  expect(await copy.npm('check')).toMatchObject({ code: 0 });
  const tests = await copy.shell('npx vitest run --project pglite');
  expect(tests.output).not.toMatch(/FAIL/);
  expect(tests).toMatchObject({ code: 0 });
});
