import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse, print, visit } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { type Process, startProcess } from './process.ts';
import { type Stack, startStack } from './stack.ts';
import { startCli } from './weft-cli.ts';

const NOTES = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes"])
type Query {
  notes: [Note!]! @requiresScopes(scopes: [["content:read"]])
}
type Note @key(fields: "id") {
  id: ID!
  text: String
}
`;

let folder: string;
let stack: Stack;
let notes: Server;
let notesUrl: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-registry-'));
  stack = await startStack({ env: { WEFT_DATA_DIR: folder, WEFT_AUTH: 'off' } });
  notes = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ data: { __typename: 'Query', notes: [{ __typename: 'Note', id: '1', text: 'a' }] } }),
    );
  });
  await new Promise<void>((resolve) => notes.listen(0, '127.0.0.1', resolve));
  notesUrl = `http://127.0.0.1:${(notes.address() as AddressInfo).port}/graphql`;
}, 180_000);
afterAll(async () => {
  await stack?.stop();
  notes?.closeAllConnections();
  notes?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('weft schema', () => {
  it('shows a schema, names what a change would break, publishes it by force and goes back, with nothing restarted', async () => {
    const own = join(folder, 'runs.graphql');
    const shown = await weft('show', '--subgraph', 'runs');
    await writeFile(own, without(shown.stdout, 'searchRuns'));
    const checked = await weft('check', 'runs', own);
    expect(checked).toMatchObject({ code: 1, stdout: expect.stringContaining('BREAKING Query.searchRuns') });
    expect(await weft('publish', 'runs', own)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('SCHEMA_BREAKING'),
    });
    expect(await fields()).toContain('searchRuns');

    const published = await weft('publish', 'runs', own, '--force', '--note', 'nobody searches');
    expect(published).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Version 2: runs published, by force'),
    });
    await until(async () => !(await fields()).includes('searchRuns'));
    expect(await weft('publish', 'runs', own)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('has that already'),
    });

    expect(await weft('rollback', '1')).toMatchObject({ code: 0, stdout: 'Version 3: back to version 1\n' });
    await until(async () => (await fields()).includes('searchRuns'));
    const list = await weft('list');
    expect(list.stdout.split('\n').map((line) => line.split(/\s+/)[0])).toEqual(['VERSION', '3', '2', '1', '']);
  }, 180_000);

  it('brings a subgraph into the graph, over which subscriptions go on', async () => {
    const asks = { id: 'ask', type: 'approval', config: { title: 'Go on?' } };
    await stack.graphql.publish({ name: 'asking', nodes: [asks], edges: [] });
    const run = await stack.graphql.execute('asking', {});
    const client = createClient({
      url: address(stack.processes.gateway).replace('http', 'ws'),
      webSocketImpl: WebSocket,
    });
    const heard: { ids: number[]; statuses: string[] } = { ids: [], statuses: [] };
    const events = follow<{ runEvents: { id: number } }>(
      client,
      'subscription ($run: ID!) { runEvents(runId: $run) { id } }',
      { run },
      ({ runEvents }) => heard.ids.push(runEvents.id),
    );
    const updates = follow<{ runUpdated: { status: string } }>(
      client,
      'subscription ($run: ID!) { runUpdated(id: $run) { status } }',
      { run },
      ({ runUpdated }) => heard.statuses.push(runUpdated.status),
    );
    await until(async () => heard.ids.length > 3 && heard.statuses.length > 0);

    const file = join(folder, 'notes.graphql');
    await writeFile(file, NOTES);
    expect(await weft('publish', 'notes', file, '--address', notesUrl)).toMatchObject({ code: 0 });
    await until(async () => (await fields()).includes('notes'));
    expect(await stack.graphql.send('{ notes { id text } }')).toEqual({ data: { notes: [{ id: '1', text: 'a' }] } });

    await stack.graphql.send('mutation ($run: ID!) { cancelRun(runId: $run) { id } }', { run });
    await Promise.all([events, updates]);
    expect(heard.ids).toEqual(heard.ids.map((_, index) => index + 1));
    expect((await stack.graphql.run(run)).status).toBe('CANCELLED');
    expect(heard.statuses.at(-1)).toBe('CANCELLED');
    await client.dispose();
  }, 120_000);
});

describe('a gateway', () => {
  it('is degraded without one subgraph, unhealthy without any, and well again when they are back', async () => {
    expect(await detailed(stack.processes.gateway)).toMatchObject({
      status: 200,
      body: {
        ...{ status: 'healthy', version: '0.1.0', timestamp: expect.any(String), uptime_seconds: expect.any(Number) },
        subgraphs: {
          runs: {
            status: 'healthy',
            url: address(stack.processes.api),
            last_check: expect.any(String),
            response_time_ms: expect.any(Number),
          },
          notes: { status: 'healthy', url: notesUrl },
        },
        schema: { source: 'registry', version: 4, refused: null, registry: 'reachable' },
      },
    });
    const before = stack.processes.api.port;
    await stack.processes.api.kill();
    await until(async () => (await detailed(stack.processes.gateway)).status === 206);
    await stack.start('api');
    expect(stack.processes.api.port).not.toBe(before);
    await until(async () => (await detailed(stack.processes.gateway)).status === 200);
    expect((await stack.graphql.send('{ runs(first: 1) { totalCount } }')).errors).toBeUndefined();
  }, 120_000);

  it('starts from the last good graph when Postgres and every subgraph are down, and from its release without that', async () => {
    const saved = JSON.parse(await readFile(join(folder, 'supergraph.json'), 'utf8')) as { version: number };
    expect(saved.version).toBe(4);
    const away = {
      ...stack.env,
      DATABASE_URL: 'postgres://weft@127.0.0.1:9/weft',
      WORKFLOW_API_URL: 'http://127.0.0.1:9/graphql',
    };
    const lonely = await startProcess('gateway/main.ts', [], away);
    expect((await detailed(lonely)).body.schema).toMatchObject({ source: 'file', version: 4, registry: 'unreachable' });
    expect(await fields(lonely)).toContain('notes');
    await lonely.kill();
    const bare = await startProcess('gateway/main.ts', [], {
      ...away,
      WEFT_SUPERGRAPH_FILE: join(folder, 'none.json'),
    });
    expect(await detailed(bare)).toMatchObject({
      status: 503,
      body: { status: 'unhealthy', schema: { source: 'release', version: 0, registry: 'unreachable' } },
    });
    expect(await fields(bare)).not.toContain('notes');
    expect((await fetch(`http://127.0.0.1:${bare.port}/readyz`)).status).toBe(200);
    await bare.stop();
  }, 120_000);

  it('never leaves a good graph for one that cannot be served, and says so', async () => {
    await stack.pool.query(
      `INSERT INTO supergraph_versions (version, hash, supergraph_sdl, subgraphs, subgraph, kind)
       VALUES (5, encode(sha256('type Query { a: Int }'), 'hex'), 'type Query { a: Int }', '[]', 'bad', 'publish')`,
    );
    await stack.pool.query(`SELECT pg_notify('weft_registry', '')`);
    await until(async () => (await detailed(stack.processes.gateway)).body.schema.refused !== null);
    expect((await detailed(stack.processes.gateway)).body.schema).toMatchObject({
      version: 4,
      refused: { version: 5 },
    });
    expect(await fields()).toContain('notes');
    await stack.processes.gateway.kill();
    await stack.start('gateway');
    expect(await fields()).toContain('runs');
    expect(await weft('rollback', '4')).toMatchObject({ code: 0 });
    await until(async () => (await fields()).includes('notes'));
  }, 120_000);

  it('and the API killed in the middle of publishing leave the old version or the new one, whole', async () => {
    for (const [service, pause] of [
      ['gateway', 0],
      ['api', 300],
      ['api', 900],
    ] as const) {
      const file = join(folder, 'killed.graphql');
      await writeFile(file, NOTES.replace('text: String', `text: String\n  ${service}${pause}: Int`));
      const publishing = weft('publish', 'notes', file);
      await sleep(500 + pause);
      await stack.processes[service].kill();
      await publishing;
      await stack.start(service);
      if (service === 'api')
        await until(async () => (await stack.graphql.send('{ runs(first: 1) { totalCount } }')).errors === undefined);
      expect(await weft('publish', 'notes', file, '--force')).toMatchObject({ code: 0 });
      await until(async () => (await sdl()).includes(`${service}${pause}: Int`));
    }
    const { rows } = await stack.pool.query<{ whole: boolean }>(
      `SELECT encode(sha256(convert_to(supergraph_sdl, 'UTF8')), 'hex') = hash AS whole FROM supergraph_versions`,
    );
    expect(rows.every(({ whole }) => whole)).toBe(true);
  }, 240_000);

  it('and the API say that they are not ready while they still answer, before they stop', async () => {
    const env = { ...stack.env, WEFT_DRAIN_MS: '3000', WORKFLOW_API_URL: address(stack.processes.api) };
    for (const script of ['gateway/main.ts', 'api/main.ts']) {
      const leaving = await startProcess(script, [], env);
      const ready = async () => (await fetch(`http://127.0.0.1:${leaving.port}/readyz`)).status;
      expect(await ready()).toBe(200);
      leaving.signal('SIGTERM');
      await until(async () => (await ready()) === 503);
      expect((await fetch(`http://127.0.0.1:${leaving.port}/livez`)).status).toBe(200);
      expect(await leaving.ended).toBe(0);
    }
  }, 120_000);
});

/** Resolves when the subscription has ended. */
async function follow<Data>(
  client: Client,
  query: string,
  variables: object,
  each: (data: Data) => void,
): Promise<void> {
  for await (const { data, errors } of client.iterate({ query, variables: { ...variables } })) {
    expect(errors).toBeUndefined();
    each(data as Data);
  }
}

/** Without one field. */
const without = (text: string, field: string): string =>
  print(visit(parse(text), { FieldDefinition: ({ name }) => (name.value === field ? null : undefined) }));

const address = ({ port }: Process) => `http://127.0.0.1:${port}/graphql`;

async function weft(...args: string[]) {
  const cli = startCli(['schema', ...args, '--url', address(stack.processes.gateway)], stack.env);
  const code = await cli.ended;
  return { code, stdout: cli.stdout(), stderr: cli.stderr() };
}

async function detailed(gateway: Process): Promise<{ status: number; body: any }> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}/health/detailed`);
  return { status: response.status, body: await response.json() };
}

const sdl = async (gateway = stack.processes.gateway) =>
  (await fetch(`http://127.0.0.1:${gateway.port}/_service/schema`)).text();

/** Of the type Query. */
async function fields(gateway = stack.processes.gateway): Promise<string[]> {
  const body = JSON.stringify({ query: '{ __schema { queryType { fields { name } } } }' });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(address(gateway), { method: 'POST', headers, body });
  const { data } = (await answer.json()) as { data: { __schema: { queryType: { fields: { name: string }[] } } } };
  return data.__schema.queryType.fields.map(({ name }) => name);
}

async function until(reached: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await reached().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`not reached within a minute: ${String(reached)}`);
    await sleep(100);
  }
}
