import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';
import express from 'express';
import { createModelActivities } from '../activities/models/model-activities.ts';
import { createModelBreakers } from '../activities/models/model-breakers.ts';
import { createSchemaCheck } from '../adapters/models/check-schema.ts';
import { listPrices } from '../adapters/models/list-prices.ts';
import { createLanguageModels } from '../adapters/models/language-models.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { openRunChanges } from '../adapters/postgres/run-changes.ts';
import { openTokenHub } from '../adapters/postgres/token-hub.ts';
import { createTokenPublisher } from '../adapters/postgres/token-publisher.ts';
import { LOCAL_PRINCIPAL } from '../api/access/principal.ts';
import { streamRoutes } from '../api/models/stream-routes.ts';
import { DEFAULT_TENANT } from '../domain/identifiers.ts';
import type { Completion, CompletionInput } from '../domain/models/activities.ts';
import { activityEnvironment } from '../tests/activity-environment.ts';
import { localProviders } from '../tests/model-options.ts';
import { noLedger } from '../tests/no-ledger.ts';
import { type BenchResult, compared, judged, median, quantile } from './report.ts';
import { startBenchServers } from './servers.ts';

const CALLS = Number(process.env['BENCH_CALLS'] ?? 400);
const WARM_UP = 40;
const TOKENS = Number(process.env['BENCH_TOKENS'] ?? 2_000);
/** A fast model: a token every two milliseconds. */
const TOKEN_MS = 2;

export async function models(): Promise<BenchResult[]> {
  return [await overhead(), ...(await streams())];
}

/** `model.complete` beside the SDK's own call, one after the other in turns, against a local server. */
async function overhead(): Promise<BenchResult> {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  await mock.start();
  mock.onMessage(/./, { content: 'Light bends. '.repeat(20) });
  const options = localProviders(mock.url);
  const activities = createModelActivities({
    models: createLanguageModels({ ...options, condense: () => Promise.resolve('') }),
    defaultProvider: 'openai',
    defaultEmbeddingProvider: 'offline-lexical',
    effects: noLedger,
    breakers: createModelBreakers(),
    checkSchema: createSchemaCheck(),
    guards: [],
    tokens: null,
    prices: listPrices,
  });
  const client = new OpenAI({ apiKey: 'sk-test', baseURL: `${mock.url}/v1`, maxRetries: 0 });
  const environment = activityEnvironment();
  const prompt = 'Say something about light';
  const [ours, bare]: [number[], number[]] = [[], []];
  for (let call = 0; call < CALLS + WARM_UP; call += 1) {
    const weft = await timed(() =>
      environment.run<[CompletionInput], Completion, (input: CompletionInput) => Promise<Completion>>(
        activities['model.complete'],
        { prompt },
      ),
    );
    const sdk = await timed(() =>
      client.chat.completions.create({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: prompt }],
        max_tokens: 77,
      }),
    );
    if (call < WARM_UP) continue;
    ours.push(weft);
    bare.push(sdk);
  }
  await mock.stop();
  return judged({
    name: `model.complete outside Temporal against the bare SDK call, p50 of ${CALLS}`,
    unit: 'ms',
    value: median(ours),
    baseline: median(bare),
    ratio: median(ours.map((ms, index) => ms / (bare[index] as number))),
    goal: { atMost: 1.2 },
  });
}

/** Tokens from a worker to a reader of our door, beside a server that writes each to the reader at once. */
async function streams(): Promise<BenchResult[]> {
  const servers = await startBenchServers({ temporal: false });
  const pool = createPool(servers.settings.DATABASE_URL, 6);
  const publisher = createTokenPublisher(pool, { flushMs: 40, retentionMinutes: 15, onError: () => undefined });
  const hub = openTokenHub(pool, servers.settings.DATABASE_URL, () => undefined);
  const runChanges = openRunChanges(servers.settings.DATABASE_URL, () => undefined);
  const app = express();
  app.use(
    streamRoutes({
      stopping: new AbortController().signal,
      principalFrom: async () => LOCAL_PRINCIPAL,
      depsOf: () => ({ pool, tokens: hub, runChanges }),
      logInternal: (error) => process.stderr.write(`${String(error)}\n`),
    }),
  );
  const door = createServer(app);
  const relay = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    void produce((text) => response.write(`data: ${JSON.stringify({ type: 'text', text })}\n\n`)).then(() =>
      response.end(),
    );
  });
  const [doorUrl, relayUrl] = [await listening(door), await listening(relay)];
  await insertRun(pool);
  const bare = await readTokens(relayUrl);
  const reading = readTokens(`${doorUrl}/runs/bench-run/nodes/write/stream`);
  const writer = publisher.open({ runId: 'bench-run', nodeId: 'write', iteration: '1', attempt: 1 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await produce((text) => writer.write({ type: 'text', text }));
  const usage = null;
  writer.write({ type: 'end', hash: '', characters: 0, provider: 'x', model: 'x', finishReason: 'stop', usage });
  const ours = await reading;
  await publisher.close();
  await hub.close();
  await runChanges.close();
  for (const server of [door, relay]) {
    server.closeAllConnections();
    server.close();
  }
  await pool.end();
  await servers.stop();
  return [
    compared({
      name: `tokens a second by our SSE door against a bare SSE relay, ${TOKENS} tokens`,
      unit: '/s',
      value: ours.perSecond,
      baseline: bare.perSecond,
      goal: { atLeast: 0.8 },
    }),
    compared({
      name: 'the same: latency added to a token, p99, against 150 ms',
      unit: 'ms',
      value: quantile(ours.latencies, 0.99) - quantile(bare.latencies, 0.99),
      baseline: 150,
      goal: { atMost: 1 },
    }),
  ];
}

/** Each token says when it was made. */
async function produce(write: (text: string) => unknown): Promise<void> {
  const begun = performance.now();
  for (let token = 0; token < TOKENS; token += 1) {
    const due = begun + token * TOKEN_MS;
    if (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
    write(`${performance.now().toFixed(2)} `);
  }
}

async function readTokens(url: string): Promise<{ perSecond: number; latencies: number[] }> {
  const response = await fetch(url);
  const latencies: number[] = [];
  let first = 0;
  let last = 0;
  let buffer = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    buffer += decoder.decode(chunk, { stream: true });
    for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n')) {
      const data = /^data: (.*)$/m.exec(buffer.slice(0, end))?.[1];
      buffer = buffer.slice(end + 2);
      const event = data === undefined ? null : (JSON.parse(data) as { type: string; text?: string });
      if (event?.type !== 'text') continue;
      last = performance.now();
      for (const made of (event.text ?? '').trim().split(' ')) {
        if (first === 0) first = Number(made);
        latencies.push(last - Number(made));
      }
    }
  }
  return { perSecond: (latencies.length / (last - first)) * 1_000, latencies };
}

async function insertRun(pool: ReturnType<typeof createPool>): Promise<void> {
  const columns = 'id, tenant_id, workflow_id, version, definition_hash, input, created_at, status';
  await pool.query(
    `INSERT INTO runs (${columns}) VALUES ('bench-run', $1, 'bench', 1, 'none', '{}', now(), 'RUNNING')`,
    [DEFAULT_TENANT],
  );
}

async function listening(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
