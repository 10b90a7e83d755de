import { AppError } from '../../domain/errors.ts';
import { isClosed, type RunStatus } from '../../domain/runs/run-status.ts';
import type { Principal } from '../access/principal.ts';
import { watchTokens, type WatchDeps } from '../models/watch-tokens.ts';
import { readRunOf } from '../runs/read-runs.ts';
import { type MessageView, readConversation, TURN_NODE } from './conversation.ts';

export type AgentEvent = {
  message?: MessageView;
  text?: string;
  reset: boolean;
  status?: RunStatus;
};

/** How long it may take to notice what nobody told of. */
const LOOK_MS = 2_000;

/**
 * The messages of a conversation from `from` on, and between them the tokens of the answer under way; ends with the agent.
 * @throws NOT_FOUND
 */
export async function* watchAgent(
  deps: WatchDeps,
  principal: Principal,
  { runId: id, after: from }: { runId: string; after: number },
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, void, void> {
  let shown = from;
  const heard = new Set<string>();
  while (!signal.aborted) {
    const waiting = new AbortController();
    const moved = Promise.race([
      deps.runChanges.next(id, AbortSignal.any([signal, waiting.signal])),
      new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS).unref()),
    ]).catch(() => undefined);
    try {
      const run = await readRunOf(deps, principal, id);
      if (!run) throw new AppError('NOT_FOUND', { what: 'run', id });
      const conversation = await readConversation(deps, principal, id);
      for (const message of conversation?.messages.slice(shown) ?? []) {
        shown += 1;
        yield { message, reset: false };
      }
      if (isClosed(run.status)) return yield { status: run.status, reset: false };
      const turn = conversation?.turns.findLast(({ status, path }) => status === 'RUNNING' && !heard.has(path));
      if (turn) {
        heard.add(turn.path);
        yield* tokensOf(deps, principal, { runId: id, nodeId: TURN_NODE, iteration: turn.path }, signal);
      } else await moved;
    } finally {
      waiting.abort();
    }
  }
}

async function* tokensOf(
  deps: WatchDeps,
  principal: Principal,
  place: { runId: string; nodeId: string; iteration: string },
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, void, void> {
  for await (const { event } of watchTokens(deps, principal, place, signal)) {
    if (event.type === 'text') yield { text: event.text, reset: false };
    if (event.type === 'reset') yield { reset: true };
  }
}
