import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { appendEvents } from '../../adapters/postgres/event-store.ts';
import { ALL_PROJECTIONS } from '../../adapters/postgres/projections/all-projections.ts';
import { followProjections } from '../../adapters/postgres/projections/follow-projections.ts';
import { registerProjections } from '../../adapters/postgres/projections/projection-store.ts';
import { DEFAULT_TENANT } from '../../domain/identifiers.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { type Doors, openDoors } from '../../tests/doors.ts';
import { uniqueName } from '../../tests/servers.ts';
import { storeRun } from '../../tests/stored-runs.ts';

const SEARCH = `query ($query: String, $labels: JSON, $status: [RunStatus!], $workflow: ID, $from: DateTime, $first: Int, $offset: Int) {
  searchRuns(query: $query, labels: $labels, status: $status, workflow: $workflow, from: $from, first: $first, offset: $offset) {
    totalCount hits { rank run { id } }
  }
}`;
const definition = (name: string): WorkflowDefinition => ({
  name,
  nodes: [{ id: 'fetch', type: 'http', config: { url: 'https://shop.test' } }],
  edges: [],
  output: { body: 'nodes.fetch.output.body' },
});

let doors: Doors;
let rain: string;
let drought: string;
let failed: string;

beforeAll(async () => {
  doors = await openDoors();
  await registerProjections(doors.pool, ALL_PROJECTIONS);
  const run = (name: string, outcome: unknown, input: JsonObject, labels: Record<string, string>) =>
    storeRun(doors.pool, { definition: definition(name), outcomeOf: () => outcome as never }, { input, labels });
  rain = await run('weather', ok('Umbrellas sell well'), { title: 'Rain in Münster', amount: 42 }, { team: 'north' });
  drought = await run(
    'weather',
    ok('Nothing about rain here'),
    { title: 'Drought', city: 'Sevilla' },
    { team: 'south' },
  );
  failed = await run(
    'orders',
    { error: { code: 'HTTP_REFUSED', message: 'the shop is closed', nodeId: 'fetch', hint: null } },
    { order: 'A-17' },
    {},
  );
  for (const [index, at] of ['2026-05-01T10:00:00Z', '2026-05-01T23:30:00Z', '2026-05-02T10:00:00Z'].entries()) {
    await append('model.called', `model/${index}`, at, {
      ...{
        runId: rain,
        nodeId: 'fetch',
        iteration: '1',
        attempt: 1,
        provider: 'openai',
        model: index === 2 ? 'large' : 'small',
      },
      ...{
        promptHash: 'x',
        inputTokens: 100,
        outputTokens: 10,
        costMicroUsd: index === 2 ? null : 1_500,
        finishReason: 'stop',
      },
      ...{ outcome: index === 1 ? 'FAILED' : 'OK', durationMs: 100 * (index + 1) },
      ...{ error: index === 1 ? { code: 'MODEL_UNAVAILABLE', message: 'no answer' } : null },
    });
  }
  await append('definition.published', 'definition/weather', '2026-05-03T10:00:00Z', {
    workflowId: 'weather',
    version: 1,
    hash: 'x',
    by: 'ann',
  });
  await append('access.login_failed', 'access/bob', '2026-05-03T11:00:00Z', {
    subject: 'bob',
    by: null,
    reason: 'password',
  });
  await doors.pool.query(`UPDATE runs SET trigger_source = 'ann' WHERE id = $1`, [rain]);
  while (await followProjections(doors.pool, ALL_PROJECTIONS, rethrow));
}, 60_000);
afterAll(() => doors?.close());

const rethrow = (error: unknown) => {
  throw error;
};
const ok = (body: string) => ({ output: { status: 200, headers: {}, body } });

async function append(type: string, streamId: string, at: string, payload: JsonObject): Promise<void> {
  await appendEvents(doors.pool, {
    ...{ tenantId: DEFAULT_TENANT, streamId, expectedVersion: 'any' as const },
    events: [
      {
        ...{ eventId: uniqueName('event'), type, schemaVersion: 1, occurredAt: new Date(at) },
        ...{ correlationId: null, causationId: null, payload },
      },
    ],
  });
}

async function found(variables: Record<string, unknown>): Promise<string[]> {
  const { data, errors } = await doors.ask(SEARCH, variables);
  if (errors) throw new Error(JSON.stringify(errors));
  return data.searchRuns.hits.map(({ run }: any) => run.id);
}

function weft(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, NODE_OPTIONS: '', WEFT_OPERATOR_TOKEN: doors.settings.WEFT_OPERATOR_TOKEN ?? '' };
    const main = join(import.meta.dirname, '../../cli/src/main.ts');
    const args = [main, ...words, '--url', `${doors.gatewayUrl}/graphql`];
    execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe('searching runs through the gateway', () => {
  it('finds words of input, output, errors, codes, names and labels, in any case and alphabet', async () => {
    expect(await found({ query: 'münster' })).toEqual([rain]);
    expect(await found({ query: 'UMBRELLAS 42' })).toEqual([rain]);
    expect(await found({ query: 'HTTP_REFUSED' })).toEqual([failed]);
    expect(await found({ query: 'shop closed' })).toEqual([failed]);
    expect(await found({ query: 'south' })).toEqual([drought]);
    expect(await found({ query: 'nowhere' })).toEqual([]);
  });

  it('puts a word of the output before one of the input, and knows phrases, alternatives, exclusion and beginnings', async () => {
    expect(await found({ query: 'rain' })).toEqual([drought, rain]);
    expect(await found({ query: '"rain here"' })).toEqual([drought]);
    expect(await found({ query: 'rain -umbrellas' })).toEqual([drought]);
    expect((await found({ query: 'umbrellas or sevilla' })).toSorted()).toEqual([rain, drought].toSorted());
    expect(await found({ query: 'umbr* münst*' })).toEqual([rain]);
    expect(await found({ query: `it's (odd & "open` })).toEqual([]);
  });

  it('narrows by labels, status, workflow and time, page by page', async () => {
    expect(await found({ query: 'rain', labels: { team: 'north' } })).toEqual([rain]);
    expect(await found({ status: ['FAILED'] })).toEqual([failed]);
    expect((await found({ workflow: 'weather' })).length).toBe(2);
    expect(await found({ query: 'rain', from: new Date(Date.now() + 60_000).toISOString() })).toEqual([]);
    expect(await found({ query: 'rain', first: 1, offset: 1 })).toEqual([rain]);
    const { errors } = await doors.ask(SEARCH, { query: 'x'.repeat(1_001) });
    expect(errors?.[0].extensions.code).toBe('INPUT_INVALID');
  });

  it('is a command, which shows the same', async () => {
    const table = await weft('run', 'search', 'münster');
    expect(table.stdout).toContain(rain);
    expect(JSON.parse((await weft('run', 'search', 'rain', '--label', 'team=north', '--json')).stdout)).toMatchObject({
      ...{ totalCount: 1, hits: [{ run: { id: rain } }] },
    });
  });
});

describe('figures through the gateway', () => {
  it('tell how each node of each version did', async () => {
    const { data } = await doors.ask(
      `query ($w: ID!) { nodeStats(workflow: $w) { version nodeId type executions completed failed retries p50Ms p99Ms lastError { code runId } } }`,
      { w: 'orders' },
    );
    expect(data.nodeStats).toMatchObject([
      {
        version: 1,
        nodeId: 'fetch',
        type: 'http',
        executions: 1,
        completed: 0,
        failed: 1,
        lastError: { code: 'HTTP_REFUSED', runId: failed },
      },
    ]);
    expect((await weft('stats', 'nodes', 'weather')).stdout).toMatch(/v1 +fetch +http +2 +0/);
  });

  it('tell what models cost, by whatever is asked, and as comma-separated values', async () => {
    const ask = async (by: string[] | null, more = '') =>
      (
        await doors.ask(
          `query ($by: [UsageDimension!]) { modelUsage(by: $by${more}) { day workflowId model user calls failures unpriced inputTokens costMicroUsd } }`,
          { by },
        )
      ).data.modelUsage;
    expect(await ask([])).toMatchObject([
      { calls: 3, failures: 1, unpriced: 1, inputTokens: 300, costMicroUsd: 3_000, day: null },
    ]);
    expect(await ask(['USER'])).toMatchObject([{ user: 'ann', calls: 3 }]);
    expect(await ask(['DAY'])).toMatchObject([
      { day: '2026-05-02', calls: 1 },
      { day: '2026-05-01', calls: 2, failures: 1 },
    ]);
    expect(await ask(['MODEL', 'WORKFLOW'], ', to: "2026-05-01T12:00:00Z"')).toMatchObject([
      { model: 'small', workflowId: 'weather', calls: 2 },
    ]);
    const csv = (await weft('stats', 'models', 'day', 'model', '--csv')).stdout.split('\r\n');
    expect(csv[0]).toBe(
      'day,model,calls,failures,unpriced,inputTokens,outputTokens,cachedInputTokens,reasoningTokens,costMicroUsd,meanMs',
    );
    expect(csv[1]).toBe('2026-05-02,large,1,0,1,100,10,0,0,0,300');
  });

  it('tell how services did, by the hour', async () => {
    const { data } = await doors.ask(
      `{ serviceHealth(from: "2026-05-01T00:00:00Z", to: "2026-05-03T00:00:00Z") {
           kind name calls failures errorRate availability p50Ms lastError { code } hours { hour calls } } }`,
    );
    expect(data.serviceHealth).toMatchObject([
      { kind: 'PROVIDER', name: 'openai', calls: 3, failures: 1, lastError: { code: 'MODEL_UNAVAILABLE' } },
    ]);
    expect(data.serviceHealth[0].availability).toBeCloseTo(2 / 3);
    expect(Math.abs(data.serviceHealth[0].p50Ms / 200 - 1)).toBeLessThan(0.051);
    expect(data.serviceHealth[0].hours.map(({ hour }: any) => hour)).toEqual([
      '2026-05-01T10:00:00.000Z',
      '2026-05-01T23:00:00.000Z',
      '2026-05-02T10:00:00.000Z',
    ]);
    const queues = (
      await doors.ask('{ serviceHealth(kind: QUEUE, from: "1969-01-01T00:00:00Z") { name calls failures } }')
    ).data;
    expect(queues.serviceHealth).toMatchObject([{ name: 'runs', calls: 3, failures: 1 }]);
    expect((await weft('stats', 'health', '--kind', 'queue', '--since', '1969-01-01')).stdout).toMatch(
      /queue +runs +3 +33.33%/,
    );
  });

  it('tell who did what, newest first, page by page', async () => {
    const trail = async (filter: string) =>
      (
        await doors.ask(
          `{ auditTrail(${filter}) { totalCount pageInfo { hasNextPage endCursor } edges { node { action actor target detail } } } }`,
        )
      ).data.auditTrail;
    expect((await trail('first: 2')).edges.map(({ node }: any) => [node.action, node.actor, node.target])).toEqual([
      ['access.login_failed', null, 'access/bob'],
      ['definition.published', 'ann', 'definition/weather'],
    ]);
    const page = await trail('first: 1');
    expect(page).toMatchObject({ totalCount: 7, pageInfo: { hasNextPage: true } });
    expect((await trail(`first: 1, after: "${page.pageInfo.endCursor}"`)).edges).toMatchObject([
      { node: { action: 'definition.published' } },
    ]);
    expect((await trail('actor: "ann"')).edges.map(({ node }: any) => [node.action, node.target])).toEqual([
      ['definition.published', 'definition/weather'],
      ['run.started', `run/${rain}`],
    ]);
    expect((await trail('action: "access."')).edges[0].node.detail).toMatchObject({ reason: 'password' });
    expect((await weft('audit', '--target', 'definition/weather')).stdout).toMatch(/ann +definition.published/);
  });
});

describe('projections through the gateway', () => {
  it('are listed, stopped, started and built again', async () => {
    const list = await weft('projections', 'list');
    expect(list).toMatchObject({ code: 0, stdout: expect.stringMatching(/run-search +ACTIVE +1 +(\d+) of \1/) });
    expect((await weft('projections', 'stop', 'run-search')).stdout).toBe('run-search: STOPPED\n');
    expect((await weft('projections', 'start', 'run-search')).stdout).toBe('run-search: ACTIVE\n');
    expect((await weft('projections', 'rebuild', 'run-search')).stdout).toMatch(
      /^run-search: REBUILDING, version 1 is being built/,
    );
    const waiting = weft('projections', 'rebuild', 'node-stats', '--wait');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    while (await followProjections(doors.pool, ALL_PROJECTIONS, () => undefined));
    expect(await waiting).toMatchObject({ code: 0, stdout: expect.stringMatching(/node-stats: ACTIVE\n$/) });
    expect(await weft('projections', 'stop', 'runs')).toMatchObject({ code: 1 });
    expect((await weft('projections', 'rebuild', 'nothing')).stderr).toContain('not found');
  });
});
