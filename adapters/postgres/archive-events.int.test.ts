import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type pg from 'pg';
import { DEFAULT_TENANT } from '../../domain/identifiers.ts';
import type { StoredEvent } from '../../domain/events/stored-event.ts';
import { randomRun } from '../../tests/random-definition.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/servers.ts';
import { startS3Server } from '../../tests/s3-server.ts';
import { storeRun } from '../../tests/stored-runs.ts';
import type { ArchiveFiles } from '../archive/archive-files.ts';
import { decodeArchivedRuns } from '../archive/archived-run.ts';
import { createFolderFiles } from '../archive/folder-files.ts';
import { verifyArchivedRun } from '../archive/verify-archive.ts';
import { createS3Files } from '../s3/s3-files.ts';
import { archiveEvents } from './archive-events.ts';
import { dropEmptyPartitions, makeEventPartitions } from './event-partitions.ts';
import { readEventPart, readRunEvents, readStream, readTenantEvents } from './event-store.ts';
import { verifyEvents } from './event-verification.ts';
import { createPool } from './pool.ts';
import { readEvents } from './read-events.ts';
import { rebuildProjections } from './rebuild-projections.ts';
import { restoreEvents } from './restore-events.ts';
import { readRunDiff } from './run-diff.ts';
import { readRunStateAt } from './run-state-at.ts';

const ARCHIVER = join(import.meta.dirname, '../../tests/crash/event-archiver.ts');
const SOON = () => new Date(Date.now() + 60_000);

let database: TestDatabase;
let folder: string;
let pool: pg.Pool;
let ids: string[];

const poolWith = (archive: ArchiveFiles) =>
  createPool(database.url, 6, { cipher: null, bodies: null, writesTo: 'table', archive });

beforeEach(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'weft-archive-'));
  pool = poolWith(createFolderFiles(folder));
  ids = [];
  const runs = fc.sample(randomRun({ maxNodes: 8 }), { numRuns: 12, seed: 7 });
  for (const run of runs) ids.push(await storeRun(pool, run, { cutEvery: 3 }));
}, 60_000);
afterEach(async () => {
  await pool?.end();
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

const inTable = async () => Number((await pool.query('SELECT count(*) FROM events')).rows[0].count);
const everything = async () => ({
  runs: await Promise.all(ids.map((id) => readRunEvents(pool, id, { first: 1_000 }))),
  states: await Promise.all(ids.map((id) => readRunStateAt(pool, id, 4))),
  diffs: await Promise.all(ids.map((id) => readRunDiff(pool, id, 2, 6))),
  tenant: await readTenantEvents(pool, { tenantId: DEFAULT_TENANT, after: 0n, first: 10_000 }),
});

describe('events of closed runs in an archive', () => {
  it('leave the table and are read as before: of a run, of a tenant, states and differences', async () => {
    const before = await everything();
    expect(await archiveEvents(pool, { closedBefore: new Date(0) })).toMatchObject({ runs: 0 });
    const closed = await pool.query('SELECT FROM runs WHERE closed_at IS NOT NULL');
    const planned = await archiveEvents(pool, { closedBefore: SOON(), dryRun: true });
    expect(planned).toMatchObject({ runs: closed.rowCount, files: 0 });
    expect(await readdir(folder)).toEqual([]);
    const stored = await inTable();
    const archived = await archiveEvents(pool, { closedBefore: SOON() });
    expect(archived).toMatchObject({ runs: closed.rowCount, events: planned?.events, files: 1 });
    expect(await inTable()).toBe(stored - (archived?.events ?? 0));
    expect(archived?.events).toBeGreaterThan(50);
    await pool.query('DELETE FROM run_snapshots');
    expect(await everything()).toEqual(before);
    expect(await verifyEvents(pool, {})).toMatchObject({ events: stored, found: [] });
    expect(await archiveEvents(pool, { closedBefore: SOON() })).toMatchObject({ runs: 0, files: 0 });
  }, 60_000);

  it('are read page by page, in parts and by type, in the order of their positions', async () => {
    const all = await readTenantEvents(pool, { tenantId: DEFAULT_TENANT, after: 0n, first: 10_000 });
    await archiveEvents(pool, { closedBefore: SOON() });
    await storeRun(pool, fc.sample(randomRun({ maxNodes: 4 }), { numRuns: 1, seed: 3 })[0] as never);
    const upTo = all.at(-1)?.position ?? 0n;
    const read: bigint[] = [];
    for (const partition of [0, 1, 2]) {
      for (let after = 0n; ;) {
        const part = { tenantId: DEFAULT_TENANT, after, upTo, first: 7, partition, partitions: 3, types: null };
        const page = (await readEventPart(pool, part)).map(({ position }) => position);
        expect(page).toEqual(page.toSorted((left, right) => Number(left - right)));
        read.push(...page);
        if (page.length < 7) break;
        after = page.at(-1) as bigint;
      }
    }
    expect(read.toSorted((left, right) => Number(left - right))).toEqual(all.map(({ position }) => position));
    const types = ['run.started'];
    const part = { tenantId: DEFAULT_TENANT, after: 0n, upTo, first: 1_000, partition: 0, partitions: 1, types };
    expect(await readEventPart(pool, part)).toEqual(all.filter(({ type }) => type === 'run.started'));
    for (const [index, id] of ids.entries()) {
      const whole = await readRunEvents(pool, id, { first: 1_000 });
      const from = (index % 5) + 1;
      expect(await readRunEvents(pool, id, { after: from, first: 3 })).toEqual(whole.slice(from, from + 3));
    }
  }, 60_000);

  it('are read by type, run, stream and time of recording, from either end', async () => {
    await storeRun(pool, fc.sample(randomRun({ maxNodes: 4 }), { numRuns: 1, seed: 3 })[0] as never);
    const whole = { tenantId: DEFAULT_TENANT, filter: {}, first: 10_000 };
    const all = await readEvents(pool, whole);
    const [runId, middle] = [ids[2] as string, all[Math.floor(all.length / 2)]!];
    const streamId = all.find(({ correlationId }) => correlationId === runId)!.streamId;
    const filters = [
      {},
      { types: ['run.started', 'node.*'] },
      { correlationId: runId },
      { streamId },
      { recordedFrom: middle.recordedAt },
      { recordedBefore: middle.recordedAt, types: ['run.*'] },
    ];
    const read = async () => {
      const pages: StoredEvent[][] = [];
      for (const filter of filters) {
        for (const newestFirst of [false, true]) pages.push(await readEvents(pool, { ...whole, filter, newestFirst }));
        pages.push(await readEvents(pool, { ...whole, filter, after: middle.position, first: 5 }));
        pages.push(await readEvents(pool, { ...whole, filter, after: middle.position, first: 5, newestFirst: true }));
      }
      pages.push(await readStream(pool, { tenantId: DEFAULT_TENANT, streamId, after: 1, first: 3 }));
      return pages;
    };
    const before = await read();
    expect(before.filter((page) => page.length > 0).length).toBeGreaterThan(before.length / 2);
    expect((await archiveEvents(pool, { closedBefore: SOON() }))?.runs).toBeGreaterThan(0);
    expect(await read()).toEqual(before);
    await storeRun(pool, fc.sample(randomRun({ maxNodes: 4 }), { numRuns: 1, seed: 9 })[0] as never);
    const later = await readEvents(pool, whole);
    expect(later.slice(0, all.length)).toEqual(all);
  }, 60_000);

  it('come back as they were', async () => {
    const rows = async () => (await pool.query('SELECT * FROM events ORDER BY position')).rows;
    const before = await rows();
    await archiveEvents(pool, { closedBefore: SOON() });
    for (const id of ids) await restoreEvents(pool, id);
    expect(await rows()).toEqual(before);
    expect(await verifyEvents(pool, {})).toMatchObject({ found: [] });
    expect(await restoreEvents(pool, ids[0] as string)).toBe(0);
    await archiveEvents(pool, { closedBefore: SOON() });
    const { rows: files } = await pool.query('SELECT count(*)::int AS count FROM event_archive_files');
    expect(files).toEqual([{ count: 1 }]);
    expect(await readdir(join(folder, 'default'))).toHaveLength(1);
  }, 60_000);

  it('are the source of projections that are made anew', async () => {
    const rows = async () =>
      (await pool.query(`SELECT to_jsonb(one)::text FROM node_executions one ORDER BY 1`)).rows.concat(
        (await pool.query(`SELECT to_jsonb(one)::text FROM runs one ORDER BY 1`)).rows,
      );
    const before = await rows();
    await archiveEvents(pool, { closedBefore: SOON() });
    await rebuildProjections(pool);
    expect(await rows()).toEqual(before);
  }, 60_000);

  it('prove themselves from the file alone, and a changed file is found out everywhere', async () => {
    const archived = await archiveEvents(pool, { closedBefore: SOON() });
    const [name] = await readdir(join(folder, 'default'));
    const path = join(folder, 'default', String(name));
    const runs = await decodeArchivedRuns(await readFile(path));
    expect(runs).toHaveLength(archived?.runs ?? 0);
    expect(runs.flatMap(verifyArchivedRun)).toEqual([]);
    const changed = structuredClone(runs);
    const event = changed[2]?.streams[0]?.events[1];
    if (event) event.payload = event.payload.replace('{', '{"more":1,');
    expect(changed.flatMap(verifyArchivedRun)).toMatchObject([{ version: 2, kind: 'FIELDS' }]);
    const cut = structuredClone(runs);
    cut[0]?.streams.at(-1)?.events.pop();
    expect(cut.flatMap(verifyArchivedRun)).toMatchObject([{ kind: 'HEAD' }]);
    const bytes = await readFile(path);
    bytes[20] = (bytes[20] as number) ^ 1;
    await writeFile(path, bytes);
    const id = runs[0]?.runId ?? '';
    await expect(readRunEvents(pool, id, { first: 10 })).rejects.toMatchObject({ code: 'PAYLOAD_UNREADABLE' });
    expect((await verifyEvents(pool, { runId: id })).found.map(({ kind }) => kind)).toContain('REMOVED');
    await expect(restoreEvents(pool, id)).rejects.toMatchObject({ code: 'PAYLOAD_UNREADABLE' });
  }, 60_000);

  it('are neither lost nor doubled when archivers are killed at any moment', async () => {
    const before = await everything();
    for (let kills = 0; kills < 6; kills += 1) {
      const child = spawn(process.execPath, [ARCHIVER, database.url, folder], { stdio: 'ignore' });
      const ended = once(child, 'exit');
      const early = (await pool.query('SELECT FROM event_archive_files')).rowCount;
      // From the moment on at which it has begun with a file.
      while (child.exitCode === null && (await pool.query('SELECT FROM event_archive_files')).rowCount === early)
        await sleep(5);
      await sleep(kills * 7);
      child.kill('SIGKILL');
      await ended;
      expect(await verifyEvents(pool, {})).toMatchObject({ found: [] });
    }
    await archiveEvents(pool, { closedBefore: SOON() });
    expect(await everything()).toEqual(before);
    const named = (await pool.query('SELECT name FROM event_archive_files')).rows.map(({ name }) => name);
    const there = (await readdir(join(folder, 'default'))).filter((name) => !name.endsWith('.part'));
    expect(new Set(there.map((name) => `default/${name}`))).toEqual(new Set(named));
  }, 120_000);

  it('are not removed by anybody else, nor before they are in an archive', async () => {
    const owner = createPool(database.url, 1, undefined, 'owner');
    const statements = [
      'DELETE FROM events',
      'DELETE FROM events WHERE false',
      `UPDATE events SET type = 'x'`,
      'TRUNCATE events',
    ];
    const { rows } = await owner.query(`SELECT tableoid::regclass::text AS name FROM events LIMIT 1`);
    statements.push(`DELETE FROM ${rows[0].name}`, `TRUNCATE ${rows[0].name}`);
    for (const statement of statements) await expect(owner.query(statement)).rejects.toMatchObject({ code: 'WE001' });
    const pretending = `SET weft.archiving = 'on'; DELETE FROM events`;
    await expect(owner.query(pretending)).rejects.toMatchObject({ code: 'WE001' });
    await expect(pool.query(`SELECT FROM ${rows[0].name}`)).rejects.toMatchObject({ code: '42501' });
    await owner.end();
    const elsewhere = createPool(database.url, 1);
    await expect(archiveEvents(elsewhere, { closedBefore: SOON() })).rejects.toMatchObject({
      code: 'SETUP_INCOMPLETE',
    });
    await elsewhere.end();
  }, 60_000);

  it('lie in a bucket as well', async () => {
    const s3 = await startS3Server();
    const { WEFT_S3_BUCKET: bucket = '', WEFT_S3_ENDPOINT: endpoint = '' } = s3.environment;
    const credentials = {
      accessKeyId: String(s3.environment['WEFT_S3_ACCESS_KEY_ID']),
      secretAccessKey: String(s3.environment['WEFT_S3_SECRET_ACCESS_KEY']),
    };
    const options = { bucket, endpoint, prefix: 'archive/', region: 'us-east-1', pathStyle: true, credentials };
    const before = await everything();
    const there = poolWith(createS3Files(options));
    try {
      expect(await archiveEvents(there, { closedBefore: SOON() })).toMatchObject({ files: 1 });
      const read = await Promise.all(ids.map((id) => readRunEvents(there, id, { first: 1_000 })));
      expect(read).toEqual(before.runs);
    } finally {
      await there.end();
      await s3.stop();
    }
  }, 60_000);
});

describe('partitions of events', () => {
  it('are made ahead, take each event by the time of its recording, and go when they are over and empty', async () => {
    expect(await makeEventPartitions(pool)).toBe(0);
    const owner = createPool(database.url, 1, undefined, 'owner');
    const names = async () =>
      (
        await owner.query<{ name: string }>(
          `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'events'::regclass ORDER BY 1`,
        )
      ).rows.map(({ name }) => name);
    const made = await names();
    expect(made).toHaveLength(5);
    expect(made).toContain('events_rest');
    const { rows } = await owner.query('SELECT DISTINCT tableoid::regclass::text AS name FROM events');
    expect(rows).toEqual([{ name: new Date().toISOString().replace(/^(\d+)-(\d+).*$/, 'events_$1_$2') }]);
    await owner.query(`CREATE TABLE events_2020_01 (LIKE events INCLUDING DEFAULTS INCLUDING INDEXES);
      ALTER TABLE events ATTACH PARTITION events_2020_01 FOR VALUES FROM ('2020-01-01Z') TO ('2020-02-01Z')`);
    expect(await dropEmptyPartitions(pool)).toEqual(['events_2020_01']);
    expect(await names()).toEqual(made);
    await owner.end();
  });
});
