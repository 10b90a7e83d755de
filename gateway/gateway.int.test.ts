import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { loadSettings } from '../config/load.ts';
import { startGateway, type RunningGateway } from './start-gateway.ts';

type Seen = { headers: IncomingHttpHeaders; body: { query: string; variables?: Record<string, unknown> } };
type Reply = { status?: number; body: unknown; afterMs?: number };

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

describe('the gateway', () => {
  it('hands trace and correlation on, not what the caller signed in with, and echoes the correlation', async () => {
    const subgraph = await remoteSubgraph(() => ({ body: { data: { run: null } } }));
    const gateway = await openGateway(subgraph.url);
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const response = await post(gateway, '{ run(id: "a") { id } }', {
      authorization: 'Bearer t',
      'x-correlation-id': 'order 7',
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    });
    expect(response.headers.get('x-correlation-id')).toBe('order 7');
    expect(subgraph.seen[0]?.headers).toMatchObject({ 'x-correlation-id': 'order 7' });
    expect(subgraph.seen[0]?.headers.authorization).toBeUndefined();
    expect(subgraph.seen[0]?.headers['traceparent']).toMatch(
      new RegExp(`^00-${traceId}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`),
    );
  });

  it('makes a correlation and a trace where the caller has none or an unusable one', async () => {
    const subgraph = await remoteSubgraph(() => ({ body: { data: { run: null } } }));
    const gateway = await openGateway(subgraph.url);
    const response = await post(gateway, '{ run(id: "a") { id } }', { traceparent: 'nonsense' });
    const correlation = response.headers.get('x-correlation-id');
    expect(correlation).toMatch(/^[0-9a-f-]{36}$/);
    expect(subgraph.seen[0]?.headers['x-correlation-id']).toBe(correlation);
    expect(subgraph.seen[0]?.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it("lets a subgraph's errors through with all their extensions, whatever the HTTP status", async () => {
    const extensions = { code: 'INPUT_INVALID', paths: [{ path: '/a', message: 'must be string' }], hint: 'Fix it.' };
    const body = { data: { run: null }, errors: [{ message: 'bad', path: ['run'], extensions }] };
    for (const status of [200, 400, 500]) {
      const subgraph = await remoteSubgraph(() => ({ status, body }));
      const gateway = await openGateway(subgraph.url);
      const answer = await ask(gateway, '{ run(id: "a") { id } }');
      expect(answer.errors).toEqual([
        { message: 'bad', path: ['run'], extensions: { service: 'runs', ...extensions } },
      ]);
      expect(answer.data).toEqual({ run: null });
    }
  });

  it('boots without its subgraph, names it in the error, and recovers when it comes up', async () => {
    const port = await freePort();
    const gateway = await openGateway(`http://127.0.0.1:${port}/graphql`);
    expect((await ask(gateway, '{ __typename }')).data).toEqual({ __typename: 'Query' });
    const down = await ask(gateway, '{ run(id: "a") { id } }');
    expect(down.errors[0]).toEqual({
      message: 'Subgraph runs cannot be reached',
      extensions: { code: 'SUBGRAPH_UNAVAILABLE', service: 'runs', reason: 'unreachable', hint: expect.any(String) },
    });
    await remoteSubgraph(() => ({ body: { data: { run: { id: 'a' } } } }), port);
    expect(await ask(gateway, '{ run(id: "a") { id } }')).toEqual({ data: { run: { id: 'a' } } });
  });

  it('gives up on a subgraph that is too slow, and on one that does not speak GraphQL', async () => {
    const slow = await remoteSubgraph(() => ({ body: { data: {} }, afterMs: 5000 }));
    const first = await ask(await openGateway(slow.url, { WEFT_SUBGRAPH_TIMEOUT_MS: '50' }), '{ run(id: "a") { id } }');
    expect(first.errors[0].message).toBe('Subgraph runs did not answer within 50 ms');
    expect(first.errors[0].extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
    const proxy = await remoteSubgraph(() => ({ status: 502, body: { message: 'bad gateway at 10.0.0.7' } }));
    const second = await ask(await openGateway(proxy.url), '{ run(id: "a") { id } }');
    expect(second.errors[0].extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
    expect(JSON.stringify(second)).not.toContain('10.0.0.7');
  });

  it('refuses what browsers can send across sites without asking', async () => {
    const gateway = await openGateway('http://127.0.0.1:9/graphql');
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: JSON.stringify({ query: '{ __typename }' }),
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('CSRF');
  });

  it('refuses literals that would keep its planner busy for ever, at once', async () => {
    const subgraph = await remoteSubgraph(() => ({ body: { data: { validateWorkflow: [] } } }));
    const gateway = await openGateway(subgraph.url);
    const nested = (depth: number) =>
      ask(gateway, `{ validateWorkflow(definition: ${'['.repeat(depth)}${']'.repeat(depth)}) { code } }`);
    expect(await nested(8)).toEqual({ data: { validateWorkflow: [] } });
    expect((await nested(9)).errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    for (const depth of [500, 20_000]) {
      expect((await nested(depth)).errors[0].extensions.code).toMatch(/^GRAPHQL_(VALIDATION|PARSE)_FAILED$/);
    }
    expect((await nested(100_000)).errors[0].extensions.code).toBe('GRAPHQL_PARSE_FAILED');
    const query = 'query ($definition: JSON!) { validateWorkflow(definition: $definition) { code } }';
    const body = `{"query":"${query}","variables":{"definition":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
    const headers = { 'content-type': 'application/json' };
    const answer: any = await (await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body })).json();
    expect(answer.errors[0].extensions.code).toBe('BAD_USER_INPUT');
    expect(subgraph.seen).toHaveLength(1);
  });

  it('says that a body is too large or no JSON', async () => {
    const gateway = await openGateway('http://127.0.0.1:9/graphql', { WEFT_PAYLOAD_MAX_BYTES: '65536' });
    const large = await post(gateway, `{ __typename } # ${'x'.repeat(4_300_000)}`);
    expect(large.status).toBe(413);
    expect(await large.json()).toMatchObject({ errors: [{ extensions: { code: 'PAYLOAD_TOO_LARGE' } }] });
    const broken = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":',
    });
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });

  it('serves the explorer to browsers from its own files', async () => {
    const gateway = await openGateway('http://127.0.0.1:9/graphql');
    const page = await fetch(`${gateway.url}/graphql`, { headers: { accept: 'text/html' } });
    const html = await page.text();
    const addresses = [...html.matchAll(/(?:src|href|from)\s*=?\s*"([^"]+)"/g)].map((match) => match[1]!);
    expect(addresses.length).toBeGreaterThanOrEqual(3);
    for (const address of addresses) {
      expect(address).toMatch(/^\/explorer\//);
      expect((await fetch(`${gateway.url}${address}`)).status).toBe(200);
    }
  });

  it('serves its schema, its health and its metrics', async () => {
    const gateway = await openGateway('http://127.0.0.1:9/graphql');
    expect(await text(gateway, '/_service/schema')).toContain('@join__graph(name: "runs"');
    expect(JSON.parse(await text(gateway, '/health')).status).toBe('healthy');
    expect(JSON.parse(await text(gateway, '/livez'))).toEqual({ alive: true });
    expect(JSON.parse(await text(gateway, '/readyz'))).toEqual({ ready: true });
    await ask(gateway, '{ run(id: "a") { id } }');
    const metrics = await text(gateway, '/metrics');
    expect(metrics).toContain('weft_http_requests_total{method="POST",route="/graphql",status="200"} 1');
    expect(metrics).toContain('weft_gateway_subgraph_duration_seconds_count{subgraph="runs",outcome="unavailable"} 1');
  });

  it('moves on to the next port when its own is taken', async () => {
    const first = await openGateway('http://127.0.0.1:9/graphql');
    const second = await openGateway('http://127.0.0.1:9/graphql', { GATEWAY_PORT: String(first.port) });
    expect(second.port).toBeGreaterThan(first.port);
    expect((await fetch(`${second.url}/livez`)).status).toBe(200);
  });
});

describe('the gateway as a process', () => {
  it('reports its port and stops on SIGTERM or when its parent is gone', async () => {
    for (const ending of ['SIGTERM', 'disconnect'] as const) {
      const child = fork(fileURLToPath(new URL('main.ts', import.meta.url)), {
        env: { PATH: process.env['PATH'], GATEWAY_PORT: '0', WEFT_AUTH: 'off' },
        execArgv: [],
        silent: true,
      });
      let log = '';
      child.stderr?.on('data', (chunk) => (log += String(chunk)));
      const [message] = await once(child, 'message');
      expect(message).toEqual({ ready: true, port: expect.any(Number) });
      expect((await fetch(`http://127.0.0.1:${message.port}/readyz`)).status).toBe(200);
      if (ending === 'SIGTERM') child.kill('SIGTERM');
      else child.disconnect();
      const [code] = await once(child, 'exit');
      expect({ ending, code }).toEqual({ ending, code: 0 });
      for (const line of log.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
    }
  });
});

async function openGateway(subgraphUrl: string, environment: Record<string, string> = {}) {
  const settings = loadSettings({ GATEWAY_PORT: '0', WEFT_AUTH: 'off', WORKFLOW_API_URL: subgraphUrl, ...environment });
  const gateway: RunningGateway = await startGateway(settings, pino({ level: 'silent' }));
  opened.push(() => gateway.stop());
  return { ...gateway, url: `http://127.0.0.1:${gateway.port}` };
}

async function remoteSubgraph(reply: (seen: Seen) => Reply, port = 0) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const one = { headers: request.headers, body: JSON.parse(await bodyOf(request)) };
    seen.push(one);
    const { status = 200, body, afterMs = 0 } = reply(one);
    setTimeout(() => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }, afterMs).unref();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  opened.push(() => closeServer(server));
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql` };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await closeServer(server);
  return port;
}

function post(gateway: { url: string }, query: string, headers: Record<string, string> = {}) {
  return fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
}

async function ask(gateway: { url: string }, query: string): Promise<any> {
  return (await post(gateway, query)).json();
}

async function text(gateway: { url: string }, path: string): Promise<string> {
  return (await fetch(gateway.url + path)).text();
}
