import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { toFailure } from '../activities/to-failure.ts';
import { AppError, type ErrorCode } from '../domain/errors.ts';
import { testTemporal, uniqueName } from '../tests/servers.ts';
import { jitterRetries } from './jitter-retries.ts';

type Failure = { code: ErrorCode; retryAfterMs?: number };

const taskQueue = uniqueName('retrying');
const retry = { initialInterval: 600_000, backoffCoefficient: 2, maximumAttempts: 5, maximumInterval: 900_000 };
let connection: Connection;
let native: NativeConnection;
let client: Client;
let worker: Worker;
let running: Promise<void>;

beforeAll(async () => {
  connection = await Connection.connect({ address: testTemporal().address });
  native = await NativeConnection.connect({ address: testTemporal().address });
  client = new Client({ connection });
  worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('../tests/retrying-workflow.ts', import.meta.url)),
    sinks: { hints: { progressed: { fn: () => undefined, callDuringReplay: false } } },
    interceptors: {
      workflowModules: [fileURLToPath(new URL('../workflows/interceptors.ts', import.meta.url))],
      activity: [jitterRetries()],
    },
    activities: {
      fail: ({ code, ...fields }: Failure) => {
        throw toFailure(new AppError(code, fields));
      },
    },
  });
  running = worker.run();
}, 120_000);

afterAll(async () => {
  worker?.shutdown();
  await running;
  await native?.close();
  await connection?.close();
});

const start = (policy: object, failure: Failure) =>
  client.workflow.start('retrying', {
    workflowId: uniqueName('run'),
    taskQueue,
    args: [{ ...retry, ...policy }, failure],
  });

/** What the server waits after the first attempt, in ms. */
async function waitAfterFirst(policy: object, failure: Failure): Promise<number> {
  const handle = await start(policy, failure);
  for (;;) {
    const [activity] = (await handle.describe()).raw.pendingActivities ?? [];
    const interval = activity?.currentRetryInterval;
    if (interval && activity?.attempt === 2) {
      await handle.terminate();
      return Number(interval.seconds ?? 0) * 1_000 + Math.floor((interval.nanos ?? 0) / 1_000_000);
    }
    await sleep(20);
  }
}

describe('the wait before the next attempt of an activity', () => {
  it('is the backoff, shortened by a random part where the policy has a jitter', async () => {
    expect(await waitAfterFirst({}, { code: 'HTTP_UNAVAILABLE' })).toBe(600_000);
    const waits = await Promise.all(
      Array.from({ length: 5 }, () => waitAfterFirst({ jitter: 0.5 }, { code: 'HTTP_UNAVAILABLE' })),
    );
    expect(new Set(waits).size).toBeGreaterThan(1);
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(300_000);
      expect(wait).toBeLessThanOrEqual(600_000);
    }
  });

  it('is what the other side has asked for, or a little more', async () => {
    const failure: Failure = { code: 'HTTP_UNAVAILABLE', retryAfterMs: 1_000_000 };
    expect(await waitAfterFirst({}, failure)).toBe(1_000_000);
    const wait = await waitAfterFirst({ jitter: 0.1 }, failure);
    expect(wait).toBeGreaterThanOrEqual(1_000_000);
    expect(wait).toBeLessThanOrEqual(1_100_000);
  });

  it('does not come for codes that the policy or the error table call final', async () => {
    for (const [policy, code] of [
      [{ jitter: 0.5, nonRetryableErrorTypes: ['HTTP_UNAVAILABLE'] }, 'HTTP_UNAVAILABLE'],
      [{ jitter: 0.5 }, 'HTTP_STATUS'],
    ] as const) {
      const handle = await start(policy, { code, retryAfterMs: 600_000 });
      const error: unknown = await handle.result().catch((failed: unknown) => failed);
      expect(error).toBeInstanceOf(WorkflowFailedError);
      expect((error as WorkflowFailedError).cause?.cause).toMatchObject({ type: code });
    }
  });
});
