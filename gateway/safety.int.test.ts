import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { loadSettings } from '../config/load.ts';
import { startGateway } from './start-gateway.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const RUN = 'query Run { run(id: "a") { id } }';
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const persisted = (sha256Hash: string) => ({ persistedQuery: { version: 1, sha256Hash } });

describe('limits of operations', () => {
  it('say which one it was, what was seen and what is allowed, at every door', async () => {
    const { ask, events, socket } = await serve({
      ...{ WEFT_GATEWAY_MAX_DEPTH: '4', WEFT_GATEWAY_MAX_ALIASES: '2', WEFT_GATEWAY_MAX_ROOT_FIELDS: '3' },
      ...{ WEFT_GATEWAY_MAX_TOKENS: '60', WEFT_GATEWAY_MAX_COST: '100' },
    });
    const cases: [string, string, number | null, number][] = [
      ['{ runs { edges { node { workflow { id } } } } }', 'depth', 5, 4],
      ['{ a: __typename b: __typename c: __typename }', 'aliases', 3, 2],
      ['{ run(id: "a") { id } runs { totalCount } workflows { totalCount } me { name } }', 'rootFields', 4, 3],
      [`{ ${'run(id: "a") { id } '.repeat(20)} }`, 'tokens', null, 60],
      ['{ runs(first: 100) { edges { node { id } } } }', 'cost', 201, 100],
    ];
    for (const [query, limit, seen, allowed] of cases) {
      const refusal = {
        message: expect.any(String),
        extensions: { code: 'OPERATION_TOO_LARGE', limit, seen, allowed },
      };
      expect((await ask({ query })).errors).toEqual([refusal]);
      expect(await events(query)).toContain('OPERATION_TOO_LARGE');
      const overSocket = await socket(query).catch((error: unknown) => ({ errors: error }));
      expect(JSON.stringify(overSocket)).toContain('OPERATION_TOO_LARGE');
    }
    const first = 100;
    const byVariable = 'query ($first: Int) { runs(first: $first) { edges { node { id } } } }';
    expect((await ask({ query: byVariable, variables: { first } })).errors[0].extensions.seen).toBe(201);
  });

  it('do not keep the gateway busy: doubled fragments, and fields that are all the same', async () => {
    const { ask } = await serve();
    const doubled = Array.from({ length: 40 }, (_, at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} }`);
    const query = `{ ...F0 } ${doubled.join(' ')} fragment F40 on Query { __typename }`;
    expect((await ask({ query })).errors[0].extensions).toMatchObject({ limit: expect.any(String) });
    const same = await ask({ query: `{ ${'run(id: "a") { id } '.repeat(1_200)} }` });
    expect(same.errors[0].extensions.code).toBe('OPERATION_TOO_LARGE');
  });

  it('are shown beside what an operation came to, for who asks', async () => {
    const { ask } = await serve();
    const query = '{ runs(first: 5) { edges { node { id } } } }';
    expect((await ask({ query }, { 'x-weft-figures': '1' })).extensions).toEqual({
      operation: { depth: 4, fields: 4, aliases: 0, rootFields: 1, directives: 0, cost: 11 },
    });
    expect((await ask({ query })).extensions).toBeUndefined();
  });

  it('hold for arrays of operations, which are taken where that is set', async () => {
    const two = [{ query: '{ __typename }' }, { query: '{ __typename }' }];
    const refused = await (await serve()).ask(two);
    expect(refused.errors[0].extensions).toEqual({ code: 'OPERATION_TOO_LARGE', limit: 'batch', seen: 2, allowed: 1 });
    const { ask } = await serve({ WEFT_GATEWAY_MAX_BATCH: '2' });
    expect(await ask(two)).toHaveLength(2);
    expect((await ask([...two, ...two])).errors[0].extensions.seen).toBe(4);
  });
});

describe('the schema', () => {
  it('is told in no way in production: introspection, suggestions, the SDL', async () => {
    const { ask, url, events } = await serve({ NODE_ENV: 'production' });
    expect((await ask({ query: '{ __schema { types { name } } }' })).errors[0].message).toBe(
      'The schema is not told here',
    );
    expect(await events('{ __type(name: "Run") { name } }')).toContain('The schema is not told here');
    const wrong = JSON.stringify(await ask({ query: '{ runz { id } }' }));
    expect(wrong).toContain('Cannot query field');
    expect(wrong).not.toContain('Did you mean');
    expect(await events('{ runz { id } }')).not.toContain('Did you mean');
    expect((await fetch(new URL('/_service/schema', url))).status).toBe(403);
    const open = await serve({ NODE_ENV: 'production', WEFT_GATEWAY_INTROSPECTION: 'on' });
    expect((await open.ask({ query: '{ __schema { queryType { name } } }' })).errors).toBeUndefined();
  });
});

describe('documents by their hash', () => {
  it('are known once they were sent, at every door', async () => {
    const { ask, get, socket } = await serve();
    const extensions = persisted(hashOf(RUN));
    const unknown = await ask({ extensions });
    expect(unknown.errors[0]).toMatchObject({
      message: 'PersistedQueryNotFound',
      extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' },
    });
    expect((await ask({ query: RUN, extensions })).data).toEqual({ run: { id: 'a' } });
    expect((await ask({ extensions })).data).toEqual({ run: { id: 'a' } });
    expect((await ask({ documentId: `sha256:${hashOf(RUN)}` })).data).toEqual({ run: { id: 'a' } });
    expect((await get({ extensions: JSON.stringify(extensions) })).data).toEqual({ run: { id: 'a' } });
    expect(await socket('', extensions)).toEqual({ data: { run: { id: 'a' } } });
    expect((await ask({ query: '{ __typename }', extensions })).errors[0].extensions.code).toBe('BAD_REQUEST');
    expect((await ask({ extensions: persisted('x') })).errors[0].extensions.code).toBe('BAD_REQUEST');
  });

  it('are the only ones where that is set, as the API has them; what it said last counts when it is gone', async () => {
    const { ask, events, api } = await serve({ WEFT_GATEWAY_DOCUMENTS: 'only' });
    api.published.set(hashOf(RUN), RUN);
    expect((await ask({ query: RUN })).data).toEqual({ run: { id: 'a' } });
    expect((await ask({ extensions: persisted(hashOf(RUN)) })).data).toEqual({ run: { id: 'a' } });
    for (const body of [{ query: '{ __typename }' }, { documentId: hashOf('{ __typename }') }]) {
      expect((await ask(body)).errors[0].extensions.code).toBe('DOCUMENT_NOT_PUBLISHED');
    }
    expect(await events('{ __typename }')).toContain('DOCUMENT_NOT_PUBLISHED');
    const other = '{ runs { totalCount } }';
    const sent = await ask({ query: other, extensions: persisted(hashOf(other)) });
    expect(sent.errors[0].extensions.code).toBe('DOCUMENT_NOT_PUBLISHED');
    api.published.clear();
    expect((await ask({ query: RUN })).data).toEqual({ run: { id: 'a' } });
  });
});

describe('whoever does not keep to HTTP', () => {
  it('is told so and let go: slow headers, slow bodies, large headers, nonsense', async () => {
    const { url } = await serve({ WEFT_HTTP_HEADERS_MS: '300', WEFT_HTTP_REQUEST_MS: '600' });
    const head = 'POST /graphql HTTP/1.1\r\nhost: x\r\n';
    const cases: [string, string, string][] = [
      [head, '408', 'REQUEST_TIMEOUT'],
      [`${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{"query":`, '408', 'REQUEST_TIMEOUT'],
      [`${head}x: ${'a'.repeat(20_000)}\r\n\r\n`, '431', 'HEADERS_TOO_LARGE'],
      ['what is this\r\n\r\n', '400', 'BAD_REQUEST'],
      [`${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, '400', 'BAD_REQUEST'],
    ];
    for (const [bytes, status, code] of cases) {
      const answer = await raw(url, bytes);
      expect(answer).toContain(`HTTP/1.1 ${status}`);
      expect(answer).toContain(code);
    }
    expect((await fetch(new URL('/livez', url))).status).toBe(200);
  });
});

describe('pages of other origins', () => {
  it('cannot send a mutation without being asked about it first: no door takes what a form could send', async () => {
    const { api, url } = await serve();
    const body = JSON.stringify({ query: 'mutation { cancelRun(runId: "a") { id } }' });
    const send = (headers: Record<string, string>) => fetch(url, { method: 'POST', headers, body });
    const json = 'application/json';
    for (const accept of ['text/event-stream', 'multipart/mixed', '*/*']) {
      for (const type of ['text/plain', 'text/plain; application/json', 'application/x-www-form-urlencoded']) {
        expect((await send({ accept, 'content-type': type })).ok).toBe(false);
      }
    }
    const accept = 'text/event-stream';
    const refused = await send({ accept, 'content-type': json, origin: 'http://elsewhere.test' });
    expect([refused.status, await refused.json()]).toEqual([
      403,
      { errors: [{ message: expect.any(String), extensions: { code: 'ACCESS_DENIED' } }] },
    ]);
    const asked = await send({
      accept,
      'content-type': json,
      origin: 'http://elsewhere.test',
      'sec-fetch-mode': 'cors',
    });
    expect(asked.headers.get('access-control-allow-origin')).toBeNull();
    expect(api.asked).toEqual([]);
    expect((await send({ accept, 'content-type': json, origin: new URL(url).origin })).status).toBe(200);
    expect(api.asked).toEqual(['/graphql']);
  });
});

async function serve(environment: Record<string, string> = {}) {
  const api = await apiServer();
  const settings = loadSettings({ GATEWAY_PORT: '0', WEFT_AUTH: 'off', WORKFLOW_API_URL: api.url, ...environment });
  const gateway = await startGateway(settings, pino({ level: 'silent' }));
  opened.push(() => gateway.stop());
  const url = `http://127.0.0.1:${gateway.port}/graphql`;
  const json = { 'content-type': 'application/json' };
  return {
    ...{ api, url },
    ask: async (body: unknown, headers: Record<string, string> = {}): Promise<any> => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...json, ...headers },
        body: JSON.stringify(body),
      });
      return response.json();
    },
    get: async (parameters: Record<string, string>): Promise<any> => {
      const headers = { 'apollo-require-preflight': '1' };
      return (await fetch(`${url}?${new URLSearchParams(parameters).toString()}`, { headers })).json();
    },
    events: async (query: string) => {
      const headers = { ...json, accept: 'text/event-stream' };
      return (await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })).text();
    },
    async socket(query: string, extensions?: Record<string, unknown>): Promise<unknown> {
      const client = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 });
      try {
        const events = client.iterate({ query, ...(extensions && { extensions }) });
        return (await events.next()).value;
      } finally {
        await client.dispose();
      }
    },
  };
}

/** Answers what is asked of runs, and has published documents. */
async function apiServer() {
  const published = new Map<string, string>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const hash = /^\/internal\/documents\/(\w+)$/.exec(request.url ?? '')?.[1];
    const body = hash === undefined ? undefined : published.get(hash);
    request.resume();
    response.writeHead(hash !== undefined && body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(
        hash === undefined ? { data: { run: { id: 'a' }, runs: { edges: [], totalCount: 0 } } } : { body },
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { published, asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql` };
}

async function raw(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  return answer;
}
