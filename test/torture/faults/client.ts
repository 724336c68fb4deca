import { always, type Fault, never, nothingToRelease } from './fault.ts';

/** What happens to the process of the command. */
export const clientFaults: readonly Fault[] = [
  {
    name: 'client killed',
    does: 'SIGKILL to the command',
    weight: 3,
    when: 'within',
    holdMs: [0, 0],
    fits: always,
    mayFail: always,
    killsClient: true,
    begin: async ({ job }) => {
      job?.child.kill('SIGKILL');
      return nothingToRelease;
    },
  },
  {
    name: 'client stopped',
    does: 'SIGSTOP to the command for some seconds, then SIGCONT',
    weight: 2,
    when: 'within',
    // Longer than a trade may wait: a lock that is held over a client's round trip shows.
    holdMs: [800, 2_000],
    fits: always,
    mayFail: never,
    keepsFromSteppingBack: true,
    begin: async ({ job }) => {
      job?.child.kill('SIGSTOP');
      return async () => void job?.child.kill('SIGCONT');
    },
  },
  {
    name: 'client interrupted',
    does: 'SIGINT to the command, as Ctrl-C does',
    weight: 1,
    when: 'within',
    holdMs: [0, 0],
    // The others die of it, as they do of SIGKILL.
    fits: ({ stepsBack }) => stepsBack,
    mayFail: always,
    // In its first tenth of a second nobody listens for it yet.
    killsClient: true,
    begin: async ({ job }) => {
      job?.child.kill('SIGINT');
      return nothingToRelease;
    },
  },
];
