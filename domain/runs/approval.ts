import { AppError } from '../errors.ts';
import { isJsonObject, type Json } from '../json.ts';
import type { ApproveArguments } from './messages.ts';
import type { CompiledDefinition } from './compile.ts';
import type { ApprovalDecision, RunEvent } from './run-event.ts';
import { APPROVAL_DECISIONS } from './run-event.ts';
import type { Outcome } from './run-inline-node.ts';
import type { RunState } from './run-state.ts';
import { isClosed } from './run-status.ts';

type Decided = Pick<Extract<RunEvent, { type: 'approval.decided' }>, 'decision' | 'comment' | 'data' | 'decidedBy'>;

const option = (input: Json, name: string): Json => (isJsonObject(input) ? (input[name] ?? null) : null);

export function approvalOutcome(input: Json, decided: Decided): Outcome {
  const { decision, comment, decidedBy } = decided;
  // An update sent by hand may leave it out, which JSON cannot hold.
  const data = decided.data ?? null;
  if (decision === 'REJECTED' && option(input, 'onReject') === 'fail')
    throw new AppError('APPROVAL_REJECTED', { comment });
  return { output: { decision, comment, data, decidedBy }, port: decision === 'APPROVED' ? 'approved' : 'rejected' };
}

export function approvalTimeoutOutcome(input: Json): Outcome {
  const timedOut = (decision: ApprovalDecision): Decided => ({
    decision,
    comment: 'timed out',
    data: null,
    decidedBy: null,
  });
  switch (option(input, 'onTimeout')) {
    case 'approve':
      return approvalOutcome(input, timedOut('APPROVED'));
    case 'reject':
      return approvalOutcome(input, timedOut('REJECTED'));
    case 'route':
      return { output: { decision: null, comment: null, data: null, decidedBy: null }, port: 'timed_out' };
    default:
      throw new AppError('APPROVAL_TIMED_OUT', { timeoutMs: option(input, 'timeoutMs') });
  }
}

/**
 * The validator of the `approve` Update.
 * `deadline` is when the approval's timer fires, in ms: an answer at or after it is refused, so that live state and history,
 * in which the timer's event comes before the update's, agree.
 * @throws AppError NOT_WAITING, NOT_FOUND, INPUT_INVALID
 */
export function assertCanDecide(
  compiled: CompiledDefinition,
  state: RunState,
  request: ApproveArguments,
  now: number,
  deadline: number | undefined,
): void {
  const { nodeId } = request;
  if (!APPROVAL_DECISIONS.includes(request.decision)) {
    throw new AppError('INPUT_INVALID', { detail: `decision must be one of ${APPROVAL_DECISIONS.join(', ')}` });
  }
  const node = state.nodes[compiled.indexOf.get(nodeId) ?? -1];
  if (node === undefined) throw new AppError('NOT_FOUND', { what: 'Node', id: nodeId });
  if (node.type !== 'approval') throw new AppError('NOT_WAITING', { nodeId, detail: `its type is ${node.type}` });
  if (isClosed(state.status) || state.cancelRequested)
    throw new AppError('NOT_WAITING', { nodeId, detail: 'the run is closing' });
  if (node.status !== 'WAITING') throw new AppError('NOT_WAITING', { nodeId, detail: `its status is ${node.status}` });
  if (deadline !== undefined && now >= deadline)
    throw new AppError('NOT_WAITING', { nodeId, detail: 'it has timed out' });
}
