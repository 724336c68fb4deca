import type { Command } from './command.ts';
import { ownCommands } from './own.ts';
import { stockCommands } from './stock.ts';

export const commands: readonly Command[] = [...ownCommands, ...stockCommands];
