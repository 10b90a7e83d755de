/** `node tests/crash/projection-follower.ts DATABASE_URL`: follows and builds projections, in small batches, until it is killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool } from '../../adapters/postgres/pool.ts';
import { ALL_PROJECTIONS } from '../../adapters/postgres/projections/all-projections.ts';
import { followProjections } from '../../adapters/postgres/projections/follow-projections.ts';
import { rebuildProjections } from '../../adapters/postgres/rebuild-projections.ts';

const [databaseUrl = '', part = ''] = process.argv.slice(2);
const pool = createPool(databaseUrl, 4);
process.stdout.write('ready\n');
if (part === 'runs') {
  const pause = async () => {
    process.stdout.write('batch\n');
    await sleep(50);
  };
  // Postgres may not have noticed yet that the process before was killed.
  while ((await rebuildProjections(pool, { onProgress: pause })) === null) await sleep(20);
} else {
  for (;;) {
    const failed = (error: unknown) => process.stderr.write(`${String(error)}\n`);
    await followProjections(pool, ALL_PROJECTIONS, failed, { live: 20, build: 20 });
    await sleep(10);
  }
}
