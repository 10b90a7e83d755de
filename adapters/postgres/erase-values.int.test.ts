import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DEFAULT_TENANT, tenantId } from '../../domain/identifiers.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/servers.ts';
import { storeRun } from '../../tests/stored-runs.ts';
import { createFolderFiles } from '../archive/folder-files.ts';
import { createKeyWrap } from '../encryption/key-wrap.ts';
import { ERASED } from '../encryption/sealed-values.ts';
import { archiveEvents } from './archive-events.ts';
import { eraseValues } from './erase-values.ts';
import { readRunEvents, readStream } from './event-store.ts';
import { verifyEvents } from './event-verification.ts';
import { listNodeExecutions } from './node-store.ts';
import { createPool } from './pool.ts';
import { loadRunFeed } from './run-feed.ts';
import { recordEvents } from './record-events.ts';
import { rebuildProjections } from './rebuild-projections.ts';
import { readRun } from './run-store.ts';
import { readRunDiff } from './run-diff.ts';
import { readRunStateAt, readStateOf } from './run-state-at.ts';
import { writeSnapshot } from './run-snapshots.ts';
import { createCompiledDefinitions } from './compiled-definitions.ts';

/** In no other place than in what the runs of Ada hold. */
const SECRET = 'xyzzy-4711-plugh';
const ADA = 'ada@lovelace.example';
const SECRET_NUMBER = 271828182845;
const definition = {
  name: 'letter',
  nodes: [
    { id: 'greet', type: 'transform', config: { value: 'input.name' } },
    { id: 'send', type: 'http', config: { url: 'https://example.org' } },
  ],
  edges: [{ from: 'greet', to: 'send' }],
};

let database: TestDatabase;
let admin: pg.Client;
let folder: string;
let pool: pg.Pool;
const poolWith = (sealAll: boolean) =>
  createPool(database.url, 6, {
    ...{ cipher: null, bodies: null, writesTo: 'table', sealAll, keyWrap: createKeyWrap(['s'.repeat(40)]) },
    archive: createFolderFiles(folder),
  });

beforeEach(async () => {
  database = await createTestDatabase();
  admin = new pg.Client(database.url);
  await admin.connect();
  folder = await mkdtemp(join(tmpdir(), 'weft-erase-'));
  pool = poolWith(false);
}, 60_000);
afterEach(async () => {
  await pool?.end();
  await admin?.end();
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

/** A run whose input, outputs, errors, small and large, tell the secret. */
async function runOf(subject: string | null, secret: string, tenant = DEFAULT_TENANT): Promise<string> {
  const large = `${secret} `.repeat(2_000);
  const born = secret === SECRET ? SECRET_NUMBER : 1;
  const outcomeOf = () => ({ output: { sent: { to: secret, born, letter: large } } });
  return storeRun(
    pool,
    { definition, outcomeOf },
    {
      ...{ tenantId: tenant, subject, input: { name: secret, born, letter: large } },
    },
  );
}

/** Every byte that tables, TOAST and indexes have on disk, and every row as text. */
async function databaseHas(...needles: string[]): Promise<string[]> {
  const tables = await admin.query<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
  );
  await admin.query(`SET session_replication_role = 'replica'`);
  for (const { name } of tables.rows) await admin.query(`VACUUM FULL ${name}`);
  await admin.query('CHECKPOINT');
  const found: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await admin.query<{ text: string }>(`SELECT one::text AS text FROM ${name} one`);
    for (const { text } of rows)
      if (needles.some((needle) => text.includes(needle))) found.push(`row of ${name}: ${text.slice(0, 200)}`);
  }
  const files = await admin.query<{ name: string; bytes: Buffer | null }>(
    `SELECT oid::regclass::text AS name, pg_read_binary_file(pg_relation_filepath(oid), true) AS bytes FROM pg_class
     WHERE relkind IN ('r', 't', 'i') AND oid > 16383`,
  );
  for (const { name, bytes } of files.rows)
    if (needles.some((needle) => bytes?.includes(needle))) found.push(`file of ${name}`);
  const payloads = await admin.query<{ bytes: Buffer }>('SELECT bytes FROM payloads WHERE bytes IS NOT NULL');
  for (const { bytes } of payloads.rows) {
    const plain = [bytes, inflated(bytes)];
    if (needles.some((needle) => plain.some((one) => one.includes(needle)))) found.push('payload');
  }
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const text = gunzipSync(await readFile(join(file.parentPath, file.name)));
    if (needles.some((needle) => text.includes(needle))) found.push(`archive ${file.name}`);
  }
  return found;
}

/** Snapshots are compressed. */
function inflated(bytes: Buffer): Buffer {
  try {
    return inflateRawSync(bytes);
  } catch {
    return Buffer.alloc(0);
  }
}

describe('values of a subject', () => {
  it('are read as they were until they are erased, and are nowhere afterwards, while the chain stays sound', async () => {
    const [ada, archived, bob] = [await runOf(ADA, SECRET), await runOf(ADA, SECRET), await runOf('bob', 'hello')];
    const events = await readRunEvents(pool, ada, { first: 100 });
    expect(events[0]?.payload).toMatchObject({ input: { name: SECRET, born: SECRET_NUMBER } });
    expect(JSON.stringify(events.map(({ payload }) => payload))).not.toContain('$sealed');
    expect(await readRunStateAt(pool, ada, 3)).toMatchObject({ input: { name: SECRET } });
    const { sequence, definitionHash, state } = await readStateOf(pool, ada, createCompiledDefinitions(pool), 3);
    expect(await writeSnapshot(pool, ada, { sequence, definitionHash, state })).toBe(true);
    await admin.query(`UPDATE runs SET closed_at = '1960-01-01' WHERE id = '${archived}'`);
    expect(await archiveEvents(pool, { closedBefore: new Date('1961-01-01') })).toMatchObject({ runs: 1 });
    expect((await readRunEvents(pool, archived, { first: 100 }))[0]?.payload).toMatchObject({
      input: { name: SECRET },
    });
    const error = { code: 'TOOL_FAILED', message: `no letter for ${SECRET}` };
    const call = {
      runId: ada,
      nodeId: 'send',
      iteration: '1',
      attempt: 1,
      kind: 'http',
      tool: 'POST https://example.org',
    };
    const failed = { ...call, requestHash: 'hash', status: 500, outcome: 'FAILED', durationMs: 1, error } as const;
    await recordEvents(pool, DEFAULT_TENANT, [{ type: 'tool.called', id: ada, payload: failed }]);
    const calls = () => readStream(pool, { tenantId: DEFAULT_TENANT, streamId: `tool/${ada}`, first: 1 });
    expect((await calls())[0]?.payload).toMatchObject({ error });
    const others = await readRunEvents(pool, bob, { first: 100 });
    expect(await databaseHas(SECRET)).not.toEqual([]);
    const { rows: before } = await admin.query(`SELECT payload::text AS text FROM events`);
    expect(before.filter(({ text }) => text.includes(SECRET) || text.includes(String(SECRET_NUMBER)))).toEqual([]);

    const erased = await eraseValues(pool, { tenantId: DEFAULT_TENANT, subject: ADA });
    expect(erased).toMatchObject({ keys: 1, runs: 2, unsealed: 0 });
    expect(erased.payloads).toBeGreaterThan(0);
    expect(await eraseValues(pool, { tenantId: DEFAULT_TENANT, subject: ADA })).toMatchObject({ keys: 0, payloads: 0 });
    expect(await databaseHas(SECRET, String(SECRET_NUMBER), ADA)).toEqual([]);
    expect(await verifyEvents(pool, {})).toMatchObject({ found: [], goneValues: 0 });
    expect((await calls())[0]?.payload).toMatchObject({ tool: call.tool, error: { message: ERASED } });
    for (const id of [ada, archived]) {
      const left = await readRunEvents(pool, id, { first: 100 });
      expect(left.map(({ type, version }) => [type, version])).toEqual(
        events.map(({ type, version }) => [type, version]),
      );
      expect(left[0]?.payload).toMatchObject({ input: { name: ERASED, born: ERASED, letter: ERASED } });
      const state = await readRunStateAt(pool, id, 100);
      expect(state).toMatchObject({ status: 'COMPLETED' });
      await readRunDiff(pool, id, 1, 4);
      expect(await loadRunFeed(pool, id, () => undefined)).toMatchObject({ runId: id });
      expect(await readRun(pool, DEFAULT_TENANT, id as never)).toMatchObject({ status: 'COMPLETED', input: ERASED });
      for (const node of await listNodeExecutions(pool, id as never)) {
        expect(node).toMatchObject({ status: 'COMPLETED', output: ERASED });
      }
    }
    expect(await readRunEvents(pool, bob, { first: 100 })).toEqual(others);
    await rebuildProjections(pool);
    expect(await readRun(pool, DEFAULT_TENANT, ada as never)).toMatchObject({ status: 'COMPLETED' });
    expect(await readRun(pool, DEFAULT_TENANT, bob as never)).toMatchObject({ input: { name: 'hello' } });
  }, 120_000);

  it('stay while a run of theirs is open; later runs have a key of their own', async () => {
    const id = await runOf(ADA, SECRET);
    await admin.query(`UPDATE runs SET closed_at = NULL WHERE id = '${id}'`);
    const erase = () => eraseValues(pool, { tenantId: DEFAULT_TENANT, subject: ADA });
    await expect(erase()).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await admin.query(`UPDATE runs SET closed_at = now() WHERE id = '${id}'`);
    expect(await erase()).toMatchObject({ keys: 1, runs: 1 });
    const later = await runOf(ADA, 'again');
    expect((await readRunEvents(pool, later, { first: 1 }))[0]?.payload).toMatchObject({ input: { name: 'again' } });
    expect((await readRunEvents(pool, id, { first: 1 }))[0]?.payload).toMatchObject({ input: { name: ERASED } });
  }, 60_000);
});

describe('values of a tenant', () => {
  it('are sealed without a subject where all are, and erased as a whole; what was stored before is counted', async () => {
    await runOf(null, 'early');
    await pool.end();
    pool = poolWith(true);
    const [mine, elsewhere] = [await runOf(null, SECRET), await runOf(null, SECRET, tenantId('other'))];
    const { rows } = await admin.query('SELECT payload::text AS text FROM events');
    expect(rows.filter(({ text }) => text.includes(SECRET))).toEqual([]);
    expect(await eraseValues(pool, { tenantId: DEFAULT_TENANT, subject: null })).toMatchObject({
      runs: 2,
      keys: 1,
      unsealed: 1,
    });
    expect((await readRunEvents(pool, mine, { first: 1 }))[0]?.payload).toMatchObject({ input: { name: ERASED } });
    expect((await readRunEvents(pool, elsewhere, { first: 1 }))[0]?.payload).toMatchObject({ input: { name: SECRET } });
  }, 60_000);

  it('cannot be read with another secret', async () => {
    const id = await runOf(ADA, SECRET);
    await pool.end();
    const storage = { cipher: null, bodies: null, writesTo: 'table' as const };
    pool = createPool(database.url, 2, { ...storage, keyWrap: createKeyWrap(['t'.repeat(40)]) });
    await expect(readRunEvents(pool, id, { first: 1 })).rejects.toMatchObject({ code: 'SETUP_INCOMPLETE' });
  }, 60_000);
});
