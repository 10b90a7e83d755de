import { createHash } from 'node:crypto';
import { listNodeExecutions } from '../../adapters/postgres/node-store.ts';
import type { RunChanges } from '../../adapters/postgres/run-changes.ts';
import { FROM_THE_START, type TokenCursor, type TokenHub } from '../../adapters/postgres/token-hub.ts';
import { AppError } from '../../domain/errors.ts';
import { runId } from '../../domain/identifiers.ts';
import { isJsonObject } from '../../domain/json.ts';
import type { Completion } from '../../domain/models/activities.ts';
import type { TokenRecord } from '../../domain/models/token-event.ts';
import type { NodeExecutionRecord } from '../../domain/runs/run-record.ts';
import { isClosed } from '../../domain/runs/run-status.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from '../runs/deps.ts';
import { readRunOf } from '../runs/read-runs.ts';

export type WatchDeps = Pick<RunsDeps, 'pool'> & { tokens: TokenHub; runChanges: RunChanges };
export type WatchTokens = {
  runId: string;
  nodeId: string;
  /** Default is the newest execution of the node when it is asked for. */
  iteration?: string | undefined;
  after?: TokenCursor | undefined;
};

/** How long it may take to notice an end that nobody told of. */
const LOOK_MS = 5_000;
const CLOSED: ReadonlySet<string> = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED']);

/**
 * What a model says while it says it, from the cursor on as far as it is kept. Where nothing is kept any more the durable result
 * comes as one text. Ends with `end`, or with `error` once the node has ended without a result.
 * @throws NOT_FOUND
 */
export async function* watchTokens(
  deps: WatchDeps,
  principal: Principal,
  { runId: id, nodeId, iteration: wanted, after = FROM_THE_START }: WatchTokens,
  signal: AbortSignal,
): AsyncGenerator<TokenRecord, void, void> {
  const run = await readRunOf(deps, principal, id);
  if (!run) throw new AppError('NOT_FOUND', { what: 'run', id });
  if (after.isLast) return;
  let cursor = after;
  let iteration = wanted;
  for (;;) {
    const waiting = new AbortController();
    const either = AbortSignal.any([signal, waiting.signal]);
    // Asked for before anything is read, so that nothing falls between.
    const more = Promise.race([
      deps.tokens.next(id, either),
      deps.runChanges.next(id, either),
      new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS).unref()),
    ]).catch(() => undefined);
    try {
      iteration ??= (await executionOf(deps, id, nodeId, undefined))?.iteration;
      const records = await deps.tokens.read({ runId: id, nodeId, iteration: iteration ?? '1' }, cursor);
      for (const record of records) {
        cursor = { attempt: record.attempt, seq: record.seq };
        const isEnd = record.event.type === 'end';
        yield isEnd ? { ...record, isLast: true } : record;
        if (isEnd) return;
      }
      if (records.length > 0) continue;
      const execution = await executionOf(deps, id, nodeId, iteration);
      if (await hasEnded(deps, principal, id, execution)) {
        yield* lastWord(execution, cursor);
        return;
      }
      await more;
      if (signal.aborted) return;
    } finally {
      waiting.abort();
    }
  }
}

async function executionOf(
  deps: WatchDeps,
  id: string,
  nodeId: string,
  iteration: string | undefined,
): Promise<NodeExecutionRecord | undefined> {
  const executions = await listNodeExecutions(deps.pool, runId(id), { nodeId, first: 1_000 });
  return iteration === undefined ? executions.at(-1) : executions.find((one) => one.iteration === iteration);
}

async function hasEnded(
  deps: WatchDeps,
  principal: Principal,
  id: string,
  execution: NodeExecutionRecord | undefined,
): Promise<boolean> {
  if (execution && CLOSED.has(execution.status)) return true;
  const run = await readRunOf(deps, principal, id);
  return run === undefined || isClosed(run.status);
}

/** Of a node that has ended and of which nothing is kept after the cursor. */
function* lastWord(execution: NodeExecutionRecord | undefined, cursor: TokenCursor): Iterable<TokenRecord> {
  const at = execution?.closedAt ?? new Date();
  const attempt = Math.max(execution?.attempts ?? 1, cursor.attempt, 1);
  const { output, error } = execution ?? { output: null, error: null };
  if (execution?.status === 'COMPLETED' && isJsonObject(output) && typeof output['text'] === 'string') {
    const { text, provider, model, finishReason, usage } = output as unknown as Completion;
    // A reader who has seen some of it begins anew, for nobody knows any more where it was.
    let seq = attempt === cursor.attempt ? cursor.seq : 0;
    const next = (event: TokenRecord['event']): TokenRecord => ({ attempt, seq: (seq += 1), at, event });
    if (cursor.attempt > 0) yield next({ type: 'reset', reason: 'retry' });
    yield next({ type: 'start', provider, model });
    yield next({ type: 'text', text });
    const hash = createHash('sha256').update(text).digest('hex');
    const end = { type: 'end' as const, hash, characters: text.length, provider, model, finishReason, usage };
    yield { ...next(end), isLast: true };
    return;
  }
  const code =
    error?.code ?? (execution?.status === 'COMPLETED' ? 'NOT_FOUND' : `NODE_${execution?.status ?? 'SKIPPED'}`);
  const message = error?.message ?? 'The node has ended and says nothing';
  yield { attempt, seq: cursor.seq + 1, at, event: { type: 'error', code, message }, isLast: true };
}
