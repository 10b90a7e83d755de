import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Doors, openDoors } from '../../tests/doors.ts';
import { DEADLINE_HEADER } from './request-deadline.ts';

let doors: Doors;
beforeAll(async () => {
  doors = await openDoors({ WEFT_HTTP_HEADERS_MS: '500', WEFT_HTTP_REQUEST_MS: '1000' });
}, 120_000);
afterAll(() => doors?.close());

async function askWithin(ms: number, query: string) {
  const headers = { 'content-type': 'application/json', [DEADLINE_HEADER]: String(ms) };
  const response = await fetch(`${doors.apiUrl}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
  return { status: response.status, body: (await response.json()) as { errors?: any[]; data?: any } };
}

describe('a request to the API that is not waited for any longer', () => {
  it('is answered then, and nothing more of it begins', async () => {
    const client = await doors.pool.connect();
    try {
      await client.query('BEGIN; LOCK TABLE operation_documents IN ACCESS EXCLUSIVE MODE');
      const publish = (name: string) =>
        `${name}: publishOperationDocuments(documents: [{ body: "query ${name} { me { name } }" }]) { added }`;
      const late = await askWithin(400, `mutation { ${publish('first')} ${publish('second')} }`);
      expect(late.status).toBe(504);
      expect(late.body.errors?.[0].extensions.code).toBe('DEADLINE_EXCEEDED');
    } finally {
      await client.query('COMMIT');
      client.release();
    }
    let names: unknown[] = [];
    while (names.length === 0) {
      names = (await doors.pool.query('SELECT name FROM operation_documents')).rows.map(({ name }) => name);
    }
    // Comes behind the second one, were there one.
    expect((await askWithin(60_000, '{ operationDocuments { name } }')).body.data).toEqual({
      operationDocuments: [{ name: 'first' }],
    });
    expect(names).toEqual(['first']);
  }, 60_000);

  it('is not told from others while there is time', async () => {
    expect(await askWithin(60_000, '{ runs { totalCount } }')).toEqual({
      status: 200,
      body: { data: { runs: { totalCount: 0 } } },
    });
  }, 60_000);
});

describe('whoever does not keep to HTTP at the API', () => {
  it('is told so and let go', async () => {
    const head = 'POST /graphql HTTP/1.1\r\nhost: x\r\n';
    const cases: [string, string, string][] = [
      [head, '408', 'REQUEST_TIMEOUT'],
      [`${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{"query":`, '408', 'REQUEST_TIMEOUT'],
      [`${head}x: ${'a'.repeat(20_000)}\r\n\r\n`, '431', 'HEADERS_TOO_LARGE'],
      ['what is this\r\n\r\n', '400', 'BAD_REQUEST'],
      [`${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, '400', 'BAD_REQUEST'],
    ];
    for (const [bytes, status, code] of cases) {
      const answer = await raw(bytes);
      expect(answer).toContain(`HTTP/1.1 ${status}`);
      expect(answer).toContain(code);
    }
    expect((await fetch(`${doors.apiUrl}/livez`)).status).toBe(200);
  }, 60_000);
});

async function raw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(doors.apiUrl).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  return answer;
}
