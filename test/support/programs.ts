import { spawnSync } from 'node:child_process';

/** Is a program on PATH? Tests that need one skip visibly where it is not. */
export const isOnPath = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
