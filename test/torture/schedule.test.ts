import { expect, test } from 'vitest';
import { faults } from './faults/index.ts';
import { find } from './run.ts';
import { makeSchedule, type Step } from './schedule.ts';
import { commands } from './work/index.ts';
import { live, reaches } from './work/levels.ts';

function take(seed: number, count: number): Step[] {
  const schedule = makeSchedule(seed, commands, faults);
  return Array.from({ length: count }, () => schedule.next().value);
}

test('the same seed makes the same schedule, and another seed another', () => {
  expect(take(7, 50)).toEqual(take(7, 50));
  expect(take(8, 50)).not.toEqual(take(7, 50));
});

test('a longer schedule begins as a shorter one', () => {
  expect(take(7, 80).slice(0, 20)).toEqual(take(7, 20));
});

test('each step begins where the one before has led, with a fault that fits; every kind of both comes up', () => {
  const steps = take(3, 600);
  let level = live;
  for (const step of steps) {
    const command = find(commands, step.command);
    const fault = find(faults, step.fault);
    expect(step.level).toBe(step.isFresh ? live : level);
    expect(fault.fits(command, step.level)).toBe(true);
    const { moment } = step;
    const sight = command.sights.find(({ name }) => moment.kind === 'sight' && name === moment.sight);
    // Of a file that is applied nothing is to be seen.
    if (sight?.of !== undefined) expect(reaches(step.level, sight.of)).toBe(false);
    level = command.leads[step.level] ?? 'nowhere';
  }
  const names = (of: (step: Step) => string): string[] => [...new Set(steps.map(of))].sort();
  expect(names(({ command }) => command)).toEqual(commands.map(({ name }) => name).sort());
  expect(names(({ fault }) => fault)).toEqual(faults.map(({ name }) => name).sort());
});
