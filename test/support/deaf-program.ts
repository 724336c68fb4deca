import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** A pg_restore that takes no SIGTERM, as one that waits for a server that does not answer. */
export async function makeDeaf(bin: string, real: string): Promise<void> {
  await mkdir(bin);
  await writeFile(path.join(bin, 'pg_dump'), `#!/bin/sh\nexec ${real}/pg_dump "$@"\n`);
  await writeFile(
    path.join(bin, 'pg_restore'),
    `#!/bin/sh
[ "$1" = --version ] && exec ${real}/pg_restore --version
trap '' TERM INT
echo $$ > ${bin}/pid
while :; do sleep 0.2; done
`,
  );
  for (const name of ['pg_dump', 'pg_restore']) await chmod(path.join(bin, name), 0o755);
}
