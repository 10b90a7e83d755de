import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readDefinition } from '../../adapters/postgres/definition-store.ts';
import { insertRun } from '../../adapters/postgres/run-store.ts';
import { workflowId } from '../../domain/identifiers.ts';
import { openDoors, type Doors } from '../../tests/doors.ts';
import { LOCAL_PRINCIPAL } from '../access/principal.ts';
import { newRunId } from './run-id.ts';

const PUBLISH = 'mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { version } }';
const EXECUTE = `mutation ($workflowId: ID!, $input: JSON, $version: Int, $key: String) {
  executeWorkflow(workflowId: $workflowId, input: $input, version: $version, idempotencyKey: $key) {
    id status input output error { code } startedAt closedAt temporalUrl
    workflow { id version } nodes { id type status iteration attempts }
  }
}`;

const definition = {
  name: 'sum',
  input: {
    type: 'object',
    required: ['a'],
    properties: { a: { type: 'number' }, b: { type: 'number' }, at: { type: 'string', format: 'date-time' } },
  },
  nodes: [
    { id: 'hold', type: 'delay', config: { durationMs: 60_000 } },
    { id: 'add', type: 'transform', config: { value: 'input.a + 1' } },
  ],
  edges: [{ from: 'hold', to: 'add' }],
  output: 'nodes.add.output',
};

describe('executing through the gateway', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors({ WEFT_PAYLOAD_MAX_BYTES: '65536' });
    await doors.ask(PUBLISH, { definition });
  }, 60_000);
  afterAll(() => doors.close());

  const codeOf = async (variables: Record<string, unknown>) =>
    (await doors.ask(EXECUTE, variables)).errors?.[0].extensions.code as string;
  const countRuns = async () => Number((await doors.pool.query('SELECT count(*) FROM runs')).rows[0].count);

  it('answers with the stored run and has it in Temporal', async () => {
    const { data, errors } = await doors.ask(EXECUTE, { workflowId: 'sum', input: { a: 1 } });
    expect(errors).toBeUndefined();
    const run = data.executeWorkflow;
    expect(run).toMatchObject({
      status: 'PENDING',
      input: { a: 1 },
      output: null,
      error: null,
      closedAt: null,
      workflow: { id: 'sum', version: 1 },
      nodes: [
        { id: 'hold', type: 'delay', status: 'PENDING', iteration: 1, attempts: 0 },
        { id: 'add', type: 'transform', status: 'PENDING', iteration: 1, attempts: 0 },
      ],
    });
    expect(run.temporalUrl).toContain(encodeURIComponent(run.id));
    const described = await doors.temporal.workflow.getHandle(run.id).describe();
    expect(described).toMatchObject({ type: 'run', taskQueue: 'runs', status: { name: 'RUNNING' } });
    const read = await doors.ask('query ($id: ID!) { run(id: $id) { id workflow { version } } }', { id: run.id });
    expect(read.data.run).toEqual({ id: run.id, workflow: { version: 1 } });
  });

  it('refuses an invalid input with every bad path, and stores nothing', async () => {
    const before = await countRuns();
    const { data, errors } = await doors.ask(EXECUTE, { workflowId: 'sum', input: { b: 'two', at: 'noon' } });
    expect(data).toBeNull();
    expect(errors?.[0].extensions).toMatchObject({ code: 'INPUT_INVALID', hint: expect.any(String) });
    const paths = errors?.[0].extensions.paths.map(({ path }: { path: string }) => path);
    expect(paths.sort()).toEqual(['/a', '/at', '/b']);
    expect(errors?.[0].message).toMatch(/must have required property 'a'/);
    expect(await codeOf({ workflowId: 'sum' })).toBe('INPUT_INVALID');
    expect(await countRuns()).toBe(before);
  });

  it('knows neither unknown workflows nor unknown versions', async () => {
    expect(await codeOf({ workflowId: 'nothing', input: {} })).toBe('NOT_FOUND');
    expect(await codeOf({ workflowId: 'a\0b', input: {} })).toBe('NOT_FOUND');
    const { errors } = await doors.ask(EXECUTE, { workflowId: 'sum', input: { a: 1 }, version: 9 });
    expect(errors?.[0]).toMatchObject({
      message: 'Workflow sum version 9 was not found',
      extensions: { code: 'NOT_FOUND' },
      path: ['executeWorkflow'],
    });
  });

  it('refuses an input above the largest payload', async () => {
    const { errors } = await doors.ask(EXECUTE, { workflowId: 'sum', input: { a: 1, pad: 'x'.repeat(70_000) } });
    expect(errors?.[0].extensions.code).toBe('PAYLOAD_TOO_LARGE');
    expect(errors?.[0].message).toContain('65536');
  });

  it('keeps large and odd inputs as they are', async () => {
    const input = { a: 1, pad: 'é'.repeat(20_000), nul: '\0', lone: '\ud800', ['__proto__']: 1, $payload: 'mine' };
    const { data, errors } = await doors.ask(EXECUTE, { workflowId: 'sum', input: JSON.parse(JSON.stringify(input)) });
    expect(errors).toBeUndefined();
    expect(data.executeWorkflow.input).toEqual(JSON.parse(JSON.stringify(input)));
  });

  it('gives one run to one key, however often and however concurrently it is used', async () => {
    const request = { workflowId: 'sum', input: { a: 1, b: 2 }, key: 'order-17' };
    const answers = await Promise.all(Array.from({ length: 50 }, () => doors.ask(EXECUTE, request)));
    expect(answers.flatMap(({ errors }) => errors ?? [])).toEqual([]);
    const ids = new Set(answers.map(({ data }) => data.executeWorkflow.id));
    expect(ids.size).toBe(1);
    const again = await doors.ask(EXECUTE, { ...request, input: { b: 2, a: 1 }, version: 1 });
    expect(ids).toContain(again.data.executeWorkflow.id);
    const { rows } = await doors.pool.query(`SELECT id FROM runs WHERE idempotency_key = 'order-17'`);
    expect(rows).toHaveLength(1);
    const executions = await doors.temporal.workflow.getHandle(rows[0].id).describe();
    expect(executions.status.name).toBe('RUNNING');
  });

  it('refuses a key used before with another input or version, but not after a new version was published', async () => {
    const request = { workflowId: 'sum', input: { a: 3 }, key: 'order-18' };
    const first = await doors.ask(EXECUTE, request);
    expect(await codeOf({ ...request, input: { a: 4 } })).toBe('IDEMPOTENCY_CONFLICT');
    expect(await codeOf({ ...request, version: 2 })).toBe('IDEMPOTENCY_CONFLICT');
    await doors.ask(PUBLISH, { definition: { ...definition, description: 'again' } });
    const repeated = await doors.ask(EXECUTE, request);
    expect(repeated.data.executeWorkflow).toMatchObject({
      id: first.data.executeWorkflow.id,
      workflow: { version: 1 },
    });
    const other = await doors.ask(EXECUTE, { ...request, key: 'order-19' });
    expect(other.data.executeWorkflow.workflow.version).toBe(2);
  });

  it('starts a stored run that Temporal never saw when its key comes again', async () => {
    const { tenantId } = LOCAL_PRINCIPAL;
    const published = await readDefinition(doors.pool, tenantId, workflowId('sum'), 1);
    const key = 'order-20';
    const id = newRunId(tenantId, 'sum', key);
    await insertRun(doors.pool, {
      id,
      tenantId,
      workflowId: workflowId('sum'),
      version: 1,
      definitionHash: published!.hash,
      input: { a: 5 },
      idempotencyKey: key,
      createdAt: new Date(),
    });
    const handle = doors.temporal.workflow.getHandle(id);
    await expect(handle.describe()).rejects.toThrow();
    const { data } = await doors.ask(EXECUTE, { workflowId: 'sum', input: { a: 5 }, key });
    expect(data.executeWorkflow.id).toBe(id);
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  it('refuses keys that cannot be stored or shown', async () => {
    for (const key of ['', 'a\0b', 'line\nbreak', 'x'.repeat(256)]) {
      const { errors } = await doors.ask(EXECUTE, { workflowId: 'sum', input: { a: 1 }, key });
      expect(errors?.[0].extensions).toMatchObject({ code: 'INPUT_INVALID', paths: [{ path: '/idempotencyKey' }] });
    }
  });

  it('gives a run to each request without a key', async () => {
    const request = { workflowId: 'sum', input: { a: 1 } };
    const answers = await Promise.all([doors.ask(EXECUTE, request), doors.ask(EXECUTE, request)]);
    expect(new Set(answers.map(({ data }) => data.executeWorkflow.id)).size).toBe(2);
  });
});
