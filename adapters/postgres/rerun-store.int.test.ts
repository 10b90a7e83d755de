import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_TENANT, runId } from '../../domain/identifiers.ts';
import { buildSeed } from '../../domain/runs/rerun/build-seed.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import { randomRun } from '../../tests/random-definition.ts';
import { createTestDatabase } from '../../tests/servers.ts';
import { storeRun } from '../../tests/stored-runs.ts';
import { createFolderFiles } from '../archive/folder-files.ts';
import { archiveEvents } from './archive-events.ts';
import { createPool } from './pool.ts';
import { readEarlierRun } from './rerun-store.ts';
import { readRun } from './run-store.ts';

it('reads a run that another takes up, at its end and at any event, from the archive as from the table', async () => {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'weft-reruns-'));
  const archive = createFolderFiles(folder);
  const pool = createPool(database.url, 4, { cipher: null, bodies: null, writesTo: 'table', archive });
  try {
    const ids: string[] = [];
    for (const run of fc.sample(randomRun({ maxNodes: 8 }), { numRuns: 6, seed: 11 })) {
      ids.push(await storeRun(pool, run, { cutEvery: 3 }));
    }
    const readAll = () =>
      Promise.all(
        ids.map(async (id) => {
          const run = (await readRun(pool, DEFAULT_TENANT, runId(id))) as RunRecord;
          const [end, middle] = [await readEarlierRun(pool, run), await readEarlierRun(pool, run, 5)];
          const seed = buildSeed(end, end.compiled, { named: null, patches: {} });
          return { seed, states: [end.state, middle.state], executions: end.executions, sequence: middle.sequence };
        }),
      );
    const before = await readAll();
    expect(before.flatMap(({ seed }) => Object.keys(seed.known)).length).toBeGreaterThan(0);
    const archived = await archiveEvents(pool, { closedBefore: new Date(Date.now() + 60_000) });
    expect(archived?.runs).toBeGreaterThan(0);
    await pool.query('DELETE FROM run_snapshots');
    expect(await readAll()).toEqual(before);
  } finally {
    await pool.end();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
