import { activityInfo } from '@temporalio/activity';
import { runId, type RunId } from '../../domain/identifiers.ts';
import type { ChildResult } from '../../domain/runs/messages.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';

export type ChildResultDependencies = {
  /** Of a run in the namespace of its parent. */
  awaitChildResult: (runId: RunId, namespace: string, signal: AbortSignal) => Promise<ChildResult>;
};

/** Waits for a child run on behalf of a later link of its parent. */
export function childResult({ awaitChildResult }: ChildResultDependencies) {
  return (child: { runId: string }): Promise<ChildResult> =>
    heartbeatWhile((signal) => awaitChildResult(runId(child.runId), activityInfo().namespace, signal));
}
