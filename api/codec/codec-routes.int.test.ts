import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import type pg from 'pg';
import { pino } from 'pino';
import { answerHttpErrors } from '../../adapters/express/http-app.ts';
import { openDatabase } from '../../adapters/postgres/open-database.ts';
import { createPayloadStore } from '../../adapters/postgres/payload-store.ts';
import { loadSettings } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { payloadConverter } from '../../temporal/payload-converter.ts';
import { createRemoteCodec } from '../../temporal/remote-codec.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/servers.ts';
import { codecRoutes } from './codec-routes.ts';
import { payloadsToJson } from '../../temporal/payload-json.ts';

const KEY = `k1:${randomBytes(32).toString('base64')}`;
const UI = 'http://127.0.0.1:8233';

let database: TestDatabase;
const stops: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  for (const stop of stops) await stop();
  await database.drop();
});

/** The routes over a real Postgres; `call` gives status, headers and the parsed body. */
async function serve(environment: Record<string, string>, { showBytes = 1_000_000 } = {}) {
  const settings: Settings = loadSettings({ WEFT_ENCRYPTION_KEYS: KEY, WEFT_CODEC: 'loopback', ...environment });
  const pool: pg.Pool = openDatabase({ ...settings, DATABASE_URL: database.url });
  const store = createPayloadStore(pool);
  const codec = createRemoteCodec(settings, store, showBytes);
  const app = express();
  app.use('/codec', codecRoutes({ settings, codec, bodyLimit: 1_000_000, log: pino({ level: 'silent' }) }));
  app.use(answerHttpErrors(pino({ level: 'silent' }), 1_000_000));
  const server: Server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await pool.end();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/codec`;
  const call = async (path: string, body: unknown, headers: Record<string, string> = {}, method = 'POST') => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
  };
  return { call, pool };
}

const jsonOf = (...values: unknown[]) => payloadsToJson(values.map((value) => payloadConverter.toPayload(value) ?? {}));
const valuesOf = (body: { payloads: { data: string }[] }) =>
  body.payloads.map(({ data }) => JSON.parse(Buffer.from(data, 'base64').toString()) as unknown);

describe('the codec server', () => {
  it('encodes as workers do, and decodes what is encrypted and what stands elsewhere', async () => {
    const { call } = await serve({});
    const values = [{ small: 'needle' }, { large: 'x'.repeat(40_000) }];
    const encoded = await call('/encode', jsonOf(...values));
    expect(encoded.status).toBe(200);
    const text = JSON.stringify(encoded.body);
    expect(text.length).toBeLessThan(3_000);
    expect(text).toContain(Buffer.from('binary/encrypted').toString('base64'));
    const decoded = await call('/decode', encoded.body);
    expect(valuesOf(decoded.body)).toEqual(values);
    expect(decoded.headers.get('cache-control')).toBe('no-store');
  });

  it('leaves the beginning of a value that is gone or too much for one answer', async () => {
    const { call, pool } = await serve({}, { showBytes: 100_000 });
    const values = ['a', 'b', 'c'].map((letter) => letter.repeat(60_000));
    const { body } = await call('/encode', jsonOf(...values));
    const first = valuesOf((await call('/decode', body)).body);
    expect(first[0]).toBe(values[0]);
    expect(first[1]).toMatchObject({ bytes: 60_002, preview: expect.stringMatching(/^"b+$/) });
    await pool.query('DELETE FROM payloads');
    const { call: later } = await serve({});
    const [gone] = valuesOf((await later('/decode', body)).body);
    expect(gone).toMatchObject({ bytes: 60_002, preview: expect.stringMatching(/^"a+$/) });
  });

  it('names the key that it does not have', async () => {
    const { call } = await serve({});
    const { body } = await call('/encode', jsonOf('secret'));
    const other = await serve({ WEFT_ENCRYPTION_KEYS: `k2:${randomBytes(32).toString('base64')}` });
    const answer = await other.call('/decode', body);
    expect(answer).toMatchObject({ status: 500, body: { code: 'PAYLOAD_KEY_MISSING' } });
    expect(answer.body.message).toContain('"k1"');
  });

  it.each([[null], [{}], [{ payloads: 1 }], [{ payloads: [1] }], [{ payloads: [{ metadata: 'x' }] }]])(
    'refuses the body %j',
    async (body) => {
      const { call } = await serve({});
      expect((await call('/decode', body)).status).toBe(400);
    },
  );

  it('lets Temporal Web UI ask, by any name of this machine, and no other page', async () => {
    const { call } = await serve({ TEMPORAL_UI_URL: UI, WEFT_CODEC_ORIGINS: 'https://ui.example' });
    for (const origin of [UI, 'http://localhost:8233', 'https://ui.example']) {
      const preflight = await call('/decode', null, { origin, 'access-control-request-method': 'POST' }, 'OPTIONS');
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
      expect(preflight.headers.get('access-control-allow-headers')).toContain('X-Namespace');
      expect((await call('/decode', jsonOf(1), { origin })).status).toBe(200);
    }
    const other = await call('/decode', jsonOf(1), { origin: 'https://evil.example' });
    expect(other).toMatchObject({ status: 403, body: { code: 'ACCESS_DENIED' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('answers this machine alone, whatever a proxy or a foreign name says', async () => {
    const { call } = await serve({});
    expect((await call('/decode', jsonOf(1), { 'x-forwarded-for': '203.0.113.9' })).status).toBe(403);
    expect((await call('/decode', jsonOf(1), { 'content-type': 'text/plain' })).status).toBe(400);
    expect((await call('/decode', jsonOf(1), { 'x-namespace': 'default' })).status).toBe(200);
    expect((await call('/decode', jsonOf(1), { 'x-namespace': '' })).status).toBe(200);
    expect((await call('/decode', jsonOf(1), { 'x-namespace': 'other' })).status).toBe(403);
  });

  it('wants the token where there is one to be had, also of this machine', async () => {
    const { call } = await serve({ WEFT_CODEC: 'token', WEFT_CODEC_TOKEN: 'let-me-in' });
    expect((await call('/decode', jsonOf(1))).status).toBe(403);
    expect((await call('/decode', jsonOf(1), { authorization: 'Bearer let-me-inn' })).status).toBe(403);
    expect((await call('/decode', jsonOf(1), { authorization: 'Bearer let-me-in' })).status).toBe(200);
    const { call: unset } = await serve({ WEFT_CODEC: 'token' });
    expect((await unset('/decode', jsonOf(1), { authorization: 'Bearer null' })).status).toBe(403);
  });

  it('refuses requests beyond its limit', async () => {
    const { call } = await serve({});
    expect((await call('/encode', jsonOf('x'.repeat(1_000_000)))).status).toBe(413);
  });
});
