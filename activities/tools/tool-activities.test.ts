import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import { createHttpClient } from '../../adapters/http/http-client.ts';
import { noLedger } from '../../tests/no-ledger.ts';
import { noRecorder } from '../../tests/no-recorder.ts';
import { createToolActivities } from './tool-activities.ts';
import { activityEnvironment } from '../../tests/activity-environment.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const client = createHttpClient({ allowedHosts: ['127.0.0.1'], maxResponseBytes: 1_000_000 });
const { http } = createToolActivities({ client, effects: noLedger, events: noRecorder });
const attempt = (activityId: string, number = 1, workflowId = 'run-1') =>
  activityEnvironment({ activityId, attempt: number, workflowExecution: { workflowId, runId: 'r' } });

describe('http', () => {
  it('sends one idempotency key for all attempts of a node, and another for any other', async () => {
    const keys: (string | string[] | undefined)[] = [];
    const url = await serve((request, response) => {
      keys.push(request.headers['idempotency-key']);
      response.end();
    });
    const environments = [attempt('pay#1'), attempt('pay#1', 2), attempt('pay#2'), attempt('pay#1', 1, 'run-2')];
    for (const environment of environments) await environment.run(http, { url, method: 'POST' as const });
    await attempt('pay#1').run(http, { url, headers: { 'idempotency-KEY': 'mine' } });
    expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(keys[1]).toBe(keys[0]);
    expect(new Set(keys.slice(0, 4)).size).toBe(3);
    expect(keys[4]).toBe('mine');
  });

  it('fails by the status, unless that is wanted', async () => {
    const url = await serve((_, response) => response.writeHead(404).end('nothing here'));
    await expect(attempt('get#1').run(http, { url })).rejects.toMatchObject({
      type: 'HTTP_STATUS',
      nonRetryable: true,
    });
    expect(await attempt('get#1').run(http, { url, failOnStatus: false })).toMatchObject({ status: 404 });
  });

  it('waits as long as a busy server asks', async () => {
    const url = await serve((_, response) => response.writeHead(503, { 'retry-after': '4' }).end());
    await expect(attempt('get#1').run(http, { url })).rejects.toMatchObject({
      type: 'HTTP_UNAVAILABLE',
      nonRetryable: false,
      nextRetryDelay: 4_000,
    });
  });

  it('refuses private addresses for good', async () => {
    await expect(attempt('get#1').run(http, { url: 'http://169.254.169.254/' })).rejects.toMatchObject({
      type: 'HTTP_ADDRESS_DENIED',
      nonRetryable: true,
    });
  });

  it('heartbeats while it waits, and cancellation closes the socket', async () => {
    const closed = Promise.withResolvers<void>();
    const url = await serve((request) => void request.socket.on('close', () => closed.resolve()));
    const environment = attempt('get#1');
    environment.once('heartbeat', () => environment.cancel());
    await expect(environment.run(http, { url })).rejects.toBeInstanceOf(CancelledFailure);
    await closed.promise;
  });
});
