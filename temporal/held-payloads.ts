import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { payloadHash, type PayloadHash } from '../domain/identifiers.ts';
import { REFERENCE_KEY } from './payload-codec.ts';

export type HeldOptions = {
  namespace: string;
  /** Workflows that started later hold only what was put since, give or take an hour. */
  startedBefore: Date;
  signal: AbortSignal;
  requestsASecond?: number;
};

const PAGE = 1_000;

/** The hashes that stand in histories, open or kept by Temporal after their end, and in schedules. Needs no key. */
export async function* heldPayloads(connection: Connection, options: HeldOptions): AsyncGenerator<PayloadHash> {
  const pace = pacer(1_000 / (options.requestsASecond ?? 20), options.signal);
  const { namespace, startedBefore } = options;
  const query = `StartTime < '${startedBefore.toISOString()}'`;
  const list = (nextPageToken: Uint8Array) =>
    connection.workflowService.listWorkflowExecutions({ namespace, query, pageSize: PAGE, nextPageToken });
  for await (const { executions } of pages(list, pace)) {
    for (const { execution } of executions ?? []) {
      const read = (nextPageToken: Uint8Array) =>
        connection.workflowService.getWorkflowExecutionHistory({
          namespace,
          execution: execution ?? {},
          nextPageToken,
        });
      for await (const { history } of pages(read, pace)) yield* referencesIn(history);
    }
  }
  yield* heldBySchedules(connection, namespace, pace);
}

/** How long Temporal keeps closed histories. */
export async function historyRetentionMs(connection: Connection, namespace: string): Promise<number> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
}

async function* heldBySchedules(
  connection: Connection,
  namespace: string,
  pace: () => Promise<void>,
): AsyncGenerator<PayloadHash> {
  const list = (nextPageToken: Uint8Array) =>
    connection.workflowService.listSchedules({ namespace, maximumPageSize: PAGE, nextPageToken });
  for await (const { schedules } of pages(list, pace)) {
    for (const { scheduleId } of schedules ?? []) {
      await pace();
      yield* referencesIn(
        await connection.workflowService.describeSchedule({ namespace, scheduleId: scheduleId ?? '' }),
      );
    }
  }
}

async function* pages<Page extends { nextPageToken?: Uint8Array | null }>(
  read: (token: Uint8Array) => Promise<Page>,
  pace: () => Promise<void>,
): AsyncGenerator<Page> {
  let token: Uint8Array | null | undefined = new Uint8Array();
  do {
    await pace();
    const page: Page = await read(token);
    yield page;
    token = page.nextPageToken;
  } while (token?.length);
}

/** Of every payload anywhere in a message. */
export function* referencesIn(message: unknown): Generator<PayloadHash> {
  if (typeof message !== 'object' || message === null || message instanceof Uint8Array) return;
  const { metadata } = message as { metadata?: Record<string, unknown> };
  const reference = metadata?.[REFERENCE_KEY];
  if (reference instanceof Uint8Array) yield payloadHash(new TextDecoder().decode(reference));
  for (const part of Object.values(message)) yield* referencesIn(part);
}

function pacer(everyMs: number, signal: AbortSignal): () => Promise<void> {
  let next = 0;
  return async () => {
    const wait = next - Date.now();
    next = Math.max(next, Date.now()) + everyMs;
    if (wait > 0) await sleep(wait, undefined, { signal });
    signal.throwIfAborted();
  };
}
