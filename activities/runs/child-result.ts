import { runId, type RunId } from '../../domain/identifiers.ts';
import type { ChildResult } from '../../domain/runs/messages.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';

export type ChildResultDependencies = {
  awaitChildResult: (runId: RunId, signal: AbortSignal) => Promise<ChildResult>;
};

/** Waits for a child run on behalf of a later link of its parent. */
export function childResult({ awaitChildResult }: ChildResultDependencies) {
  return (child: { runId: string }): Promise<ChildResult> =>
    heartbeatWhile((signal) => awaitChildResult(runId(child.runId), signal));
}
