import { clientFaults } from './client.ts';
import type { Fault } from './fault.ts';
import { otherFaults } from './others.ts';
import { serverFaults } from './server.ts';
import { transactionFaults } from './transactions.ts';

export const faults: readonly Fault[] = [
  ...clientFaults,
  ...serverFaults,
  ...transactionFaults,
  ...otherFaults,
];
