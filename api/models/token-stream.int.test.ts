import { LLMock } from '@copilotkit/aimock';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { serverSentEvents } from '../../cli/src/run/follow-tokens.ts';
import type { JsonObject } from '../../domain/json.ts';
import { type Doors, openDoors } from '../../tests/doors.ts';
import { startRunServices } from '../../tests/run-services.ts';

type Seen = { id: string; type: string; text?: string; attempt: number; hash?: string; [field: string]: unknown };

const mock = new LLMock({ port: 0, logLevel: 'silent' });
let doors: Doors;
let services: Awaited<ReturnType<typeof startRunServices>>;

beforeAll(async () => {
  await mock.start();
  doors = await openDoors({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: `${mock.url}/v1` });
  services = await startRunServices(doors, ['runs', 'models']);
  const config = { prompt: '{{topic}}', values: { topic: 'input.topic' } };
  const retry = { maximumAttempts: 3, initialIntervalMs: 100, maximumIntervalMs: 100 };
  await doors.ask('mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { id } }', {
    definition: {
      name: 'story',
      nodes: [{ id: 'write', type: 'model.complete', config, retry }],
      edges: [],
      output: { text: 'nodes.write.output.text' },
    },
  });
}, 120_000);
afterEach(() => void mock.reset());
afterAll(async () => {
  await services?.stop();
  await doors?.close();
  await mock.stop();
});

async function start(topic: string): Promise<string> {
  const mutation = 'mutation ($input: JSON) { executeWorkflow(workflowId: "story", input: $input) { id } }';
  const { data, errors } = await doors.ask(mutation, { input: { topic } });
  expect(errors).toBeUndefined();
  return data.executeWorkflow.id as string;
}
const urlOf = (run: string, node = 'write') => `${doors.apiUrl}/runs/${run}/nodes/${node}/stream`;

async function follow(
  run: string,
  { after, until = () => false }: { after?: string; until?: (seen: Seen) => boolean } = {},
): Promise<Seen[]> {
  const leaving = new AbortController();
  const response = await fetch(urlOf(run), {
    signal: leaving.signal,
    headers: after === undefined ? {} : { 'last-event-id': after },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch('text/event-stream');
  const seen: Seen[] = [];
  for await (const { id, event, data } of serverSentEvents(response.body!)) {
    const one = { id, ...(JSON.parse(data) as JsonObject) } as unknown as Seen;
    expect(one.type).toBe(event);
    seen.push(one);
    if (until(one)) break;
  }
  leaving.abort();
  return seen;
}
const textOf = (seen: readonly Seen[]) => seen.map((one) => (one.type === 'text' ? one.text : '')).join('');
async function closed(run: string): Promise<{ status: string; output: { text: string } }> {
  for (;;) {
    const { data } = await doors.ask('query ($id: ID!) { run(id: $id) { status output closedAt } }', { id: run });
    if (data.run.closedAt !== null) return data.run as { status: string; output: { text: string } };
    await sleep(50);
  }
}

const STORY = 'Once upon a time there was a prism that bent the light. '.repeat(6);
const SLOWLY = { chunkSize: 6, streamingProfile: { ttft: 0, tps: 80 } };

describe('the tokens of a node', () => {
  it('come while the model speaks, and their hash is that of the durable result', async () => {
    mock.onMessage('prism', { content: STORY }, SLOWLY);
    const run = await start('prism');
    const seen = await follow(run);
    expect(seen.map(({ type }) => type).filter((type) => type !== 'text')).toEqual(['start', 'end']);
    expect(seen.length).toBeGreaterThan(5);
    expect(textOf(seen)).toBe(STORY);
    expect(seen.at(-1)).toMatchObject({
      hash: createHash('sha256').update(STORY).digest('hex'),
      characters: STORY.length,
    });
    expect((await closed(run)).output.text).toBe(STORY);
  }, 30_000);

  it('go on after the last event that a reader has seen', async () => {
    mock.onMessage('prism', { content: STORY }, SLOWLY);
    const run = await start('prism');
    const first = await follow(run, { until: ({ type }) => type === 'text' });
    const rest = await follow(run, { after: first.at(-1)!.id });
    expect(textOf(first) + textOf(rest)).toBe(STORY);
    expect(rest[0]!.type).toBe('text');
    const again = await fetch(urlOf(run), { headers: { 'last-event-id': rest.at(-1)!.id } });
    expect(again.status).toBe(204);
  }, 30_000);

  it('leave nothing in the history but the result', async () => {
    const eventsOf = async (profile: object) => {
      mock.reset();
      mock.onMessage('prism', { content: STORY }, profile);
      const run = await start('prism');
      await follow(run);
      await closed(run);
      const { events } = await doors.temporal.workflow.getHandle(run).fetchHistory();
      return events!.map(({ eventType }) => Number(eventType));
    };
    expect(await eventsOf(SLOWLY)).toEqual(await eventsOf({ chunkSize: STORY.length }));
  }, 30_000);

  it('begin again with a reset when the attempt before broke off', async () => {
    mock.on(
      { userMessage: 'prism', sequenceIndex: 0 },
      { content: STORY },
      { ...SLOWLY, truncateAfterChunks: 10, latency: 20 },
    );
    mock.on({ userMessage: 'prism' }, { content: STORY }, SLOWLY);
    const seen = await follow(await start('prism'));
    const reset = seen.findIndex(({ type }) => type === 'reset');
    expect(reset).toBeGreaterThanOrEqual(0);
    expect(seen[reset]).toMatchObject({ reason: 'retry', attempt: 2 });
    expect(textOf(seen.slice(reset))).toBe(STORY);
  }, 30_000);

  it('are the durable result when nothing of them is kept any more', async () => {
    mock.onMessage('prism', { content: STORY });
    const run = await start('prism');
    await closed(run);
    await doors.pool.query('DELETE FROM token_chunks WHERE run_id = $1', [run]);
    const seen = await follow(run);
    expect(seen.map(({ type }) => type)).toEqual(['start', 'text', 'end']);
    expect(textOf(seen)).toBe(STORY);
    expect((await fetch(urlOf(run), { headers: { 'last-event-id': seen.at(-1)!.id } })).status).toBe(204);
  }, 30_000);

  it('end with the error of a node that has failed', async () => {
    mock.on({}, { error: { message: 'no such field' }, status: 400 });
    const run = await start('prism');
    const seen = await follow(run);
    expect(seen.at(-1)).toMatchObject({ type: 'error', code: 'MODEL_BAD_REQUEST' });
  }, 30_000);

  it('come by WebSocket too', async () => {
    mock.onMessage('prism', { content: STORY }, SLOWLY);
    const run = await start('prism');
    const socket = new WebSocket(
      urlOf(run)
        .replace('http', 'ws')
        .replace(/stream$/, 'socket'),
    );
    const seen: Seen[] = [];
    socket.on('message', (data: Buffer) => seen.push(JSON.parse(data.toString()) as Seen));
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1000);
    expect(textOf(seen)).toBe(STORY);
    expect(seen.at(-1)!.type).toBe('end');
  }, 30_000);

  it('come through the gateway as a subscription, and go on behind a cursor', async () => {
    mock.onMessage('prism', { content: STORY }, SLOWLY);
    const run = await start('prism');
    const subscribe = async (after: string | null) => {
      const query = `subscription ($run: ID!, $after: String) {
        nodeTokens(runId: $run, nodeId: "write", after: $after) { type cursor text hash } }`;
      const response = await fetch(`${doors.gatewayUrl}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ query, variables: { run, after } }),
      });
      const tokens: { type: string; cursor: string; text: string | null; hash: string | null }[] = [];
      for await (const { event, data } of serverSentEvents(response.body!)) {
        if (event === 'next')
          tokens.push((JSON.parse(data) as { data: { nodeTokens: (typeof tokens)[0] } }).data.nodeTokens);
      }
      return tokens;
    };
    const tokens = await subscribe(null);
    expect(tokens.map(({ text }) => text ?? '').join('')).toBe(STORY);
    expect(tokens.at(-1)).toMatchObject({ type: 'END', hash: createHash('sha256').update(STORY).digest('hex') });
    const [start_, ...rest] = tokens;
    expect(start_!.type).toBe('START');
    expect(await subscribe(start_!.cursor)).toEqual(rest);
  }, 30_000);

  it('of a run that is not there are refused', async () => {
    const response = await fetch(urlOf('nowhere'));
    expect([response.status, await response.json()]).toMatchObject([404, { code: 'NOT_FOUND' }]);
    const bad = await fetch(urlOf('nowhere'), { headers: { 'last-event-id': 'x' } });
    expect(bad.status).toBe(400);
    const socket = new WebSocket(
      urlOf('nowhere')
        .replace('http', 'ws')
        .replace(/stream$/, 'socket'),
    );
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4400, 'NOT_FOUND']);
  });
});

describe('models', () => {
  it('are listed with what they can do, what is missing and how they are doing', async () => {
    const query =
      '{ models { name isReady missing isDefault isEmbeddingDefault defaultModel capabilities { tools schema } health { model failures lastErrorCode } } }';
    const { data } = await doors.ask(query);
    const byName = new Map(data.models.map((one: { name: string }) => [one.name, one]));
    expect(byName.get('openai')).toMatchObject({
      isReady: true,
      isDefault: true,
      isEmbeddingDefault: true,
      capabilities: { tools: true, schema: 'native' },
    });
    expect(byName.get('anthropic')).toMatchObject({ isReady: false, missing: 'ANTHROPIC_API_KEY is not set' });
    expect((byName.get('openai') as { health: unknown[] }).health).toContainEqual(
      expect.objectContaining({ model: 'gpt-4o-mini', failures: expect.any(Number) }),
    );
  });

  it('are asked for real, and what goes wrong is said', async () => {
    mock.onMessage('one word', { content: 'ok', usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 } });
    const mutation =
      'mutation ($provider: String!) { testModel(provider: $provider) { text inputTokens error { code message } } }';
    expect((await doors.ask(mutation, { provider: 'openai' })).data.testModel).toEqual({
      text: 'ok',
      inputTokens: 9,
      error: null,
    });
    expect((await doors.ask(mutation, { provider: 'gemini' })).data.testModel).toMatchObject({
      text: null,
      error: { code: 'MODEL_UNSUPPORTED', message: expect.stringContaining('GEMINI_API_KEY') },
    });
    expect((await doors.ask(mutation, { provider: 'oracle' })).errors?.[0].extensions.code).toBe('NOT_FOUND');
  });
});
