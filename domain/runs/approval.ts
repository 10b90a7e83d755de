import { AppError } from '../errors.ts';
import { isJsonObject, type Json } from '../json.ts';
import type { ApproveArguments } from './messages.ts';
import type { CompiledDefinition } from './compile.ts';
import type { ApprovalDecision, RunEvent } from './run-event.ts';
import { APPROVAL_DECISIONS } from './run-event.ts';
import type { Outcome } from './run-inline-node.ts';
import type { ApprovalAnswer, NodeState, RunState } from './run-state.ts';
import { schemaProblem } from './schema-problem.ts';
import { waitingNode } from './waiting-node.ts';

type Decided = Pick<Extract<RunEvent, { type: 'approval.decided' }>, 'decision' | 'comment' | 'data' | 'decidedBy'>;
const option = (input: Json, name: string): Json => (isJsonObject(input) ? (input[name] ?? null) : null);

export function approvalOutcome(input: Json, decided: Decided, answers: readonly ApprovalAnswer[] = []): Outcome {
  const { decision, comment, decidedBy } = decided;
  // An update sent by hand may leave it out, which JSON cannot hold.
  const data = decided.data ?? null;
  if (decision === 'REJECTED' && option(input, 'onReject') === 'fail')
    throw new AppError('APPROVAL_REJECTED', { comment });
  const several = answers.length > 1 ? { answers: answers.map((answer) => ({ ...answer })) } : {};
  return {
    output: { decision, comment, data, decidedBy, ...several },
    port: decision === 'APPROVED' ? 'approved' : 'rejected',
  };
}

/** Whether the answers so far close the approval: enough approvals, or so many rejections that enough cannot come. */
export function isDecided(input: Json, stage: number, answers: readonly ApprovalAnswer[]): boolean {
  const quorum = quorumOf(input);
  const approvals = answers.filter((answer) => answer.decision === 'APPROVED').length;
  const rejections = answers.length - approvals;
  if (approvals >= quorum) return true;
  const assignees = assigneesOf(input, stage);
  if (quorum === 1 || assignees === null) return rejections > 0;
  return assignees.length - rejections < quorum;
}

export function quorumOf(input: Json): number {
  const quorum = option(input, 'quorum');
  return typeof quorum === 'number' ? Math.max(1, quorum) : 1;
}

/** Who may answer now; null is anybody. */
export function assigneesOf(input: Json, stage: number): string[] | null {
  const assignees = option(input, 'assignees');
  if (!Array.isArray(assignees)) return null;
  const added = escalationOf(input)
    .slice(0, stage)
    .flatMap((one) => one.assignees);
  return [...new Set([...assignees.map(String), ...added])];
}

const escalationOf = (input: Json): { afterMs: number; assignees: string[] }[] => {
  const escalation = option(input, 'escalation');
  return Array.isArray(escalation) ? (escalation as { afterMs: number; assignees: string[] }[]) : [];
};

/** When the next thing happens if nobody answers: an escalation or the timeout; null when nothing does. */
export function nextApprovalDeadline(node: { input: Json; startedAt: number; stage: number }): number | null {
  const timeoutMs = option(node.input, 'timeoutMs');
  const timeout = typeof timeoutMs === 'number' ? node.startedAt + timeoutMs : null;
  const escalation = escalationOf(node.input)[node.stage];
  if (escalation === undefined) return timeout;
  const escalated = node.startedAt + escalation.afterMs;
  return timeout === null ? escalated : Math.min(timeout, escalated);
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
 * The validator of the `approve` Update. An answer at or after the deadline is refused, so that live state and history, in which
 * the timer's event comes before the update's, agree.
 * @throws AppError NOT_WAITING, NOT_FOUND, INPUT_INVALID, NOT_ASSIGNEE, ALREADY_ANSWERED
 */
export function assertCanDecide(
  compiled: CompiledDefinition,
  state: RunState,
  request: ApproveArguments,
  now: number,
): NodeState {
  const { nodeId, decision } = request;
  if (!APPROVAL_DECISIONS.includes(decision)) {
    throw new AppError('INPUT_INVALID', { detail: `decision must be one of ${APPROVAL_DECISIONS.join(', ')}` });
  }
  const type = typeOf(compiled, nodeId);
  const node = waitingNode(compiled, state, request, type, now);
  if (type === 'tool.call') return assertAnswers(node, request);
  const assignees = assigneesOf(node.input, node.stage);
  const by = request.decidedBy ?? null;
  if (assignees !== null && (by === null || !assignees.includes(by))) {
    throw new AppError('NOT_ASSIGNEE', { nodeId, by, assignees });
  }
  if (by !== null && node.answers.some((answer) => answer.decidedBy === by)) {
    throw new AppError('ALREADY_ANSWERED', { nodeId, by });
  }
  assertFits(option(node.input, 'form'), request);
  return node;
}

/** A call of a tool waits for an answer like an approval, where the tool has asked something. */
const typeOf = (compiled: CompiledDefinition, nodeId: string): 'approval' | 'tool.call' =>
  compiled.nodes[compiled.indexOf.get(nodeId) ?? -1]?.type === 'tool.call' ? 'tool.call' : 'approval';

function assertAnswers(node: NodeState, request: ApproveArguments): NodeState {
  assertFits(option(option(node.input, 'question'), 'schema'), request);
  return node;
}

function assertFits(form: Json, { decision, data }: ApproveArguments): void {
  if (decision !== 'APPROVED' || form === null) return;
  const problem = schemaProblem(form, data ?? null);
  if (problem !== null) throw new AppError('INPUT_INVALID', { detail: `data ${problem}` });
}
