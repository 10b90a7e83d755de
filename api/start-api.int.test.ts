import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, openDoors, type Doors } from '../tests/doors.ts';

describe('the API', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors({ WEFT_PAYLOAD_MAX_BYTES: '65536' });
  }, 60_000);
  afterAll(() => doors.close());

  it('says that it lives, and that it is ready while Postgres and Temporal answer', async () => {
    expect(await json('/livez')).toEqual({ alive: true });
    expect(await json('/health')).toMatchObject({ status: 'healthy', uptime_seconds: expect.any(Number) });
    expect(await json('/readyz')).toEqual({ ready: true, checks: { postgres: 'up', temporal: 'up' } });
  });

  it('counts requests by route, and unknown paths as one', async () => {
    await ask(doors.apiUrl, '{ __typename }');
    await fetch(`${doors.apiUrl}/nowhere/${Math.random()}`);
    const metrics = await (await fetch(`${doors.apiUrl}/metrics`)).text();
    expect(metrics).toMatch(/weft_http_requests_total\{method="POST",route="\/graphql",status="200"\} [1-9]/);
    expect(metrics).toContain('weft_http_requests_total{method="GET",route="unknown",status="404"} 1');
    expect(metrics).not.toContain('nowhere');
  });

  it('echoes a correlation id that can be printed and makes one otherwise', async () => {
    const idFor = async (given: string) =>
      (await fetch(`${doors.apiUrl}/livez`, { headers: { 'x-correlation-id': given } })).headers.get(
        'x-correlation-id',
      );
    expect(await idFor('ticket #42')).toBe('ticket #42');
    expect(await idFor('x'.repeat(300))).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('serves its SDL to composers', async () => {
    const { data } = await ask(doors.apiUrl, '{ _service { sdl } }');
    expect(data._service.sdl).toContain('type Run @key(fields: "id")');
  });

  it('keeps the codes of what GraphQL itself refuses', async () => {
    const codeOf = async (query: string, variables?: Record<string, unknown>) =>
      (await ask(doors.apiUrl, query, variables)).errors?.[0].extensions.code;
    expect(await codeOf('{ nothing }')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf('{')).toBe('GRAPHQL_PARSE_FAILED');
    expect(await codeOf('query ($n: Int!) { runs(first: $n) { totalCount } }', { n: 'x' })).toBe('BAD_USER_INPUT');
  });

  it('says that a body is too large', async () => {
    const response = await fetch(`${doors.apiUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `{ __typename } # ${'x'.repeat(4_300_000)}` }),
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'PAYLOAD_TOO_LARGE' } }] });
  });

  async function json(path: string): Promise<unknown> {
    return (await fetch(doors.apiUrl + path)).json();
  }
});

describe('the API as a process', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors();
  }, 60_000);
  afterAll(() => doors.close());

  it('reports its port, moves on from a busy one, and stops on SIGTERM or when its parent is gone', async () => {
    const busy = createServer().listen(0, '127.0.0.1');
    await once(busy, 'listening');
    const { port: taken } = busy.address() as AddressInfo;
    for (const ending of ['SIGTERM', 'disconnect'] as const) {
      const api = await forkApi({ PORT: String(taken) });
      expect(api.port).toBeGreaterThan(taken);
      expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
      if (ending === 'SIGTERM') api.child.kill('SIGTERM');
      else api.child.disconnect();
      const [code] = await once(api.child, 'exit');
      expect({ ending, code }).toEqual({ ending, code: 0 });
      for (const line of api.log()) expect(JSON.parse(line)).toHaveProperty('msg');
    }
    busy.close();
  }, 60_000);

  it('is not ready without its database and says DATABASE_UNAVAILABLE, without an address', async () => {
    const api = await forkApi({ PORT: '0', DATABASE_URL: 'postgres://nobody@127.0.0.1:9/none' });
    const { errors } = await ask(api.url, '{ runs { totalCount } }');
    expect(errors?.[0].extensions.code).toBe('DATABASE_UNAVAILABLE');
    expect(JSON.stringify(errors)).not.toMatch(/127\.0\.0\.1|stack/);
    const response = await fetch(`${api.url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ready: false, checks: { postgres: 'down', temporal: 'up' } });
    api.child.kill('SIGTERM');
    expect(await once(api.child, 'exit')).toEqual([0, null]);
  }, 60_000);

  async function forkApi(environment: Record<string, string>) {
    const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } = doors.settings;
    const env = {
      ...{ PATH: process.env['PATH'], DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, WEFT_AUTH: 'off' },
      ...environment,
    };
    const child = fork(fileURLToPath(new URL('main.ts', import.meta.url)), { env, execArgv: [], silent: true });
    let log = '';
    child.stderr?.on('data', (chunk) => (log += String(chunk)));
    const [message] = await once(child, 'message');
    expect(message).toEqual({ ready: true, port: expect.any(Number) });
    return {
      child,
      port: message.port as number,
      url: `http://127.0.0.1:${message.port}`,
      log: () => log.trim().split('\n'),
    };
  }
});

describe('an API without Temporal', () => {
  it('reads, keeps what it accepted, and says TEMPORAL_UNAVAILABLE', async () => {
    const doors = await openDoors();
    try {
      const definition = {
        name: 'alone',
        nodes: [{ id: 'one', type: 'transform', config: { value: '1' } }],
        edges: [],
      };
      await doors.ask('mutation ($d: JSON!) { publishWorkflow(definition: $d) { id } }', { d: definition });
      doors.cutTemporal();
      const execute = 'mutation { executeWorkflow(workflowId: "alone", idempotencyKey: "k") { id } }';
      const { errors } = await doors.ask(execute);
      expect(errors?.[0].extensions).toMatchObject({ code: 'TEMPORAL_UNAVAILABLE', service: 'runs' });
      const { data } = await doors.ask('{ runs { edges { node { status } } } }');
      expect(data.runs.edges).toEqual([{ node: { status: 'PENDING' } }]);
    } finally {
      await doors.close();
    }
  }, 60_000);
});
