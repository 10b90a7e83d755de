import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { loadSettings } from '../../config/load.ts';
import { startGateway } from '../start-gateway.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const QUERY = '{ run(id: "a") { id } }';
const MUTATION = 'mutation { cancelRun(runId: "a") { id } }';
const GOOD = JSON.stringify({ data: { run: { id: 'a' }, cancelRun: { id: 'a' } } });
type Behave = (response: ServerResponse, request: IncomingMessage) => void;
const json = { 'content-type': 'application/json' };
const good: Behave = (response) => void response.writeHead(200, json).end(GOOD);
const FAULTS: Record<string, Behave> = {
  hangs: () => undefined,
  'is reset': (response) => response.socket?.resetAndDestroy(),
  'is closed': (response) => response.socket?.destroy(),
  'is half an answer': (response) => {
    response.writeHead(200, { ...json, 'content-length': GOOD.length }).write(GOOD.slice(0, 10));
    setTimeout(() => response.destroy(), 10);
  },
  'is cut JSON': (response) => void response.end(GOOD.slice(0, 10)),
  'is a page': (response) => void response.writeHead(502).end('<html>bad gateway at 10.0.0.7</html>'),
  'is 500': (response) => void response.writeHead(500).end('stack at 10.0.0.7'),
  'is no object': (response) => void response.end('[]'),
};
const PASSING = ['is reset', 'is closed', 'is half an answer', 'is a page'];

describe('a subgraph that fails', () => {
  it('costs its fields alone, and the error names it, whatever went wrong', async () => {
    const { ask, subgraph } = await serve({ WEFT_SUBGRAPH_TIMEOUT_MS: '200', WEFT_SUBGRAPH_BREAKER_FAILURES: '0' });
    for (const [fault, behave] of Object.entries(FAULTS)) {
      subgraph.behave = behave;
      const { data, errors } = await ask(`{ __typename run(id: "${fault}") { id } }`);
      expect({ fault, data }).toEqual({ fault, data: { __typename: 'Query', run: null } });
      expect(errors).toMatchObject([{ extensions: { code: 'SUBGRAPH_UNAVAILABLE', service: 'runs' } }]);
      expect(JSON.stringify(errors)).not.toContain('10.0.0.7');
    }
  });

  it('is asked again when it did not take a query, and never for a mutation', async () => {
    const { ask, subgraph, metrics } = await serve({ WEFT_SUBGRAPH_BREAKER_FAILURES: '0' });
    for (const fault of PASSING) {
      const faults = [FAULTS[fault] as Behave, FAULTS[fault] as Behave];
      subgraph.behave = (response, request) => (faults.shift() ?? good)(response, request);
      expect({ fault, ...(await ask(QUERY)) }).toEqual({ fault, data: { run: { id: 'a' } } });
      subgraph.seen = 0;
      subgraph.behave = FAULTS[fault] as Behave;
      expect((await ask(MUTATION)).errors[0].extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
      expect({ fault, seen: subgraph.seen }).toEqual({ fault, seen: 1 });
    }
    expect(await metrics()).toContain('weft_gateway_subgraph_retries_total{subgraph="runs"} 8');
  });

  it('is not asked again without end: retries have a budget', async () => {
    const { ask, subgraph } = await serve({ WEFT_SUBGRAPH_BREAKER_FAILURES: '0', WEFT_SUBGRAPH_RETRIES: '10' });
    subgraph.behave = FAULTS['is closed'] as Behave;
    const asked = 30;
    for (let count = 0; count < asked; count += 1) await ask(`{ run(id: "${count}") { id } }`);
    expect(subgraph.seen).toBeLessThanOrEqual(asked + 20 + asked / 10);
  });

  it('is told how long it is waited for, at most as long as the caller waits', async () => {
    const { ask, subgraph } = await serve({ WEFT_SUBGRAPH_TIMEOUTS: 'runs=5000' });
    const told: number[] = [];
    subgraph.behave = (response, request) => {
      told.push(Number(request.headers['x-weft-deadline-ms']));
      good(response, request);
    };
    await ask(QUERY);
    await ask(QUERY, { 'x-weft-deadline-ms': '900' });
    expect(told[0]).toBe(5000);
    expect(told[1]).toBeGreaterThan(0);
    expect(told[1]).toBeLessThanOrEqual(900);
    subgraph.behave = FAULTS['hangs'] as Behave;
    const { errors } = await ask(QUERY, { 'x-weft-deadline-ms': '100' });
    expect(errors[0].extensions).toMatchObject({ code: 'DEADLINE_EXCEEDED', reason: 'deadline', service: 'runs' });
  });

  it('is left alone after many failures, tried by one request, and served again', async () => {
    const { ask, subgraph, metrics } = await serve({
      ...{ WEFT_SUBGRAPH_RETRIES: '0', WEFT_SUBGRAPH_BREAKER_FAILURES: '3', WEFT_SUBGRAPH_BREAKER_MS: '400' },
    });
    subgraph.behave = FAULTS['is closed'] as Behave;
    for (let count = 0; count < 3; count += 1) await ask(QUERY);
    const { errors } = await ask(QUERY);
    expect(errors[0].extensions.reason).toBe('breaker-open');
    expect(subgraph.seen).toBe(3);
    expect(await metrics()).toContain('weft_gateway_breaker_state{subgraph="runs"} 2');
    subgraph.behave = good;
    await until(async () => (await ask(QUERY)).errors === undefined);
    expect(await metrics()).toContain('weft_gateway_breaker_state{subgraph="runs"} 0');
    expect(await metrics()).toContain('weft_gateway_breaker_opened_total{subgraph="runs"} 1');
  });

  it('gets so many requests at once; some wait, others fail at once', async () => {
    const { ask, subgraph, metrics } = await serve({
      ...{ WEFT_SUBGRAPH_CONCURRENCY: '2', WEFT_SUBGRAPH_QUEUE: '3' },
    });
    const held: ServerResponse[] = [];
    subgraph.behave = (response) => void held.push(response);
    const asked = Array.from({ length: 7 }, (_, index) => ask(`{ run(id: "${index}") { id } }`));
    await until(async () => (await metrics()).includes('weft_gateway_subgraph_waiting{subgraph="runs"} 3'));
    const first = await Promise.race(asked);
    expect(first.errors[0].extensions.reason).toBe('queue-full');
    expect(held).toHaveLength(2);
    subgraph.behave = good;
    for (const response of held) response.writeHead(200, json).end(GOOD);
    const answers = await Promise.all(asked);
    expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(5);
  });
});

describe('a subgraph process', () => {
  it('may be killed and come back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weft-subgraph-'));
    opened.push(() => rm(folder, { recursive: true }));
    const file = join(folder, 'subgraph.mjs');
    writeFileSync(
      file,
      `import { createServer } from 'node:http';
       const server = createServer((request, response) => { request.resume(); response.end(${JSON.stringify(GOOD)}); });
       server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send(server.address().port));`,
    );
    const start = async (port: number) => {
      const child = fork(file, [String(port)], { execArgv: [] });
      opened.push(() => child.kill('SIGKILL'));
      const [listening] = (await once(child, 'message')) as [number];
      return { child, port: listening };
    };
    const { child, port } = await start(0);
    const { ask } = await gatewayOf(`http://127.0.0.1:${port}/graphql`, { WEFT_SUBGRAPH_BREAKER_MS: '300' });
    expect((await ask(QUERY)).data).toEqual({ run: { id: 'a' } });
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (let count = 0; count < 12; count += 1) {
      expect((await ask(QUERY)).errors[0].extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
    }
    await start(port);
    await until(async () => (await ask(QUERY)).errors === undefined);
  });
});

async function serve(environment: Record<string, string>) {
  const subgraph = { behave: good, seen: 0 };
  const server = createServer((request, response) => {
    subgraph.seen += 1;
    request.resume().on('end', () => subgraph.behave(response, request));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const gateway = await gatewayOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`, environment);
  return { ...gateway, subgraph };
}

async function gatewayOf(subgraphUrl: string, environment: Record<string, string>) {
  const own = { GATEWAY_PORT: '0', WEFT_AUTH: 'off', WORKFLOW_API_URL: subgraphUrl };
  const settings = loadSettings({ ...own, WEFT_GATEWAY_DOCUMENTS: 'off', ...environment });
  const gateway = await startGateway(settings, pino({ level: 'silent' }));
  opened.push(() => gateway.stop());
  const url = `http://127.0.0.1:${gateway.port}`;
  return {
    ask: async (query: string, headers: Record<string, string> = {}): Promise<any> => {
      const body = JSON.stringify({ query });
      return (await fetch(`${url}/graphql`, { method: 'POST', headers: { ...json, ...headers }, body })).json();
    },
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
  };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
