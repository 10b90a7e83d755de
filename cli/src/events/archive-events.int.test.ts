import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createPool } from '../../../adapters/postgres/pool.ts';
import { randomRun } from '../../../tests/random-definition.ts';
import { createTestDatabase, type TestDatabase, testTemporal } from '../../../tests/servers.ts';
import { storeRun } from '../../../tests/stored-runs.ts';

const MAIN = join(import.meta.dirname, '../main.ts');

let database: TestDatabase;
let folder: string;
let ids: string[];
beforeAll(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'weft-archive-'));
  const pool = createPool(database.url, 4);
  const runs = fc.sample(randomRun({ maxNodes: 4 }), { numRuns: 3, seed: 5 });
  ids = await Promise.all(runs.map((run) => storeRun(pool, run)));
  await pool.query(`UPDATE runs SET closed_at = '2020-01-01'`);
  await pool.query('UPDATE event_streams SET closed = true');
  await pool.end();
}, 60_000);
afterAll(async () => {
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

function weft(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const servers = { DATABASE_URL: database.url, TEMPORAL_ADDRESS: testTemporal().address };
  const env = { ...process.env, ...servers, WEFT_ARCHIVE_FOLDER: folder, NODE_OPTIONS: '' };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'events', ...words], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe('weft events archive', () => {
  it('says what it would do, does it, proves the file, and brings a run back', async () => {
    const planned = await weft('archive', '--older-than', '90d', '--dry-run');
    expect(planned).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+ events of 3 runs would be archived\n$/),
    });
    expect(await readdir(folder)).toEqual([]);
    const archived = JSON.parse((await weft('archive', '--older-than', '90d', '--json')).stdout);
    expect(archived).toMatchObject({ runs: 3, files: 1, dropped: [] });
    const [name] = await readdir(join(folder, 'default'));
    const file = join(folder, 'default', String(name));
    expect(JSON.parse((await weft('verify', '--file', file, '--json')).stdout)).toMatchObject({
      events: archived.events,
      found: [],
    });
    expect(JSON.parse((await weft('verify', '--all', '--json')).stdout)).toMatchObject({ found: [] });
    expect(await weft('restore', String(ids[0]))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('are back'),
    });
    expect(await weft('restore', String(ids[0]))).toMatchObject({ code: 1 });
    const forged = join(folder, 'forged.gz');
    const text = gunzipSync(await readFile(file)).toString();
    await writeFile(forged, gzipSync(text.replace('run.started', 'run.resumed')));
    expect(await weft('verify', '--file', forged)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('FIELDS'),
    });
  }, 120_000);

  it('is refused for a time that it cannot read', async () => {
    expect(await weft('archive', '--older-than', 'soon')).toMatchObject({ code: 2 });
  }, 60_000);
});
