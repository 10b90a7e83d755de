import { describe, expect, it } from '@jest/globals';
import { AppError } from '../errors.ts';
import { approvalOutcome, approvalTimeoutOutcome, assertCanDecide } from './approval.ts';
import { compileDefinition } from './compile.ts';
import { evolve } from './evolve.ts';
import type { ApproveArguments } from './messages.ts';
import { initialState } from './run-state.ts';

const decided = { comment: 'fine', data: null, decidedBy: 'ada' };

function codeOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

describe('the outcome of an approval', () => {
  it('leaves by the port of the decision', () => {
    expect(approvalOutcome({}, { ...decided, decision: 'APPROVED' })).toEqual({
      output: { ...decided, decision: 'APPROVED' },
      port: 'approved',
    });
    expect(approvalOutcome({}, { ...decided, decision: 'REJECTED' }).port).toBe('rejected');
  });

  it('fails on a rejection where the node says so', () => {
    expect(codeOf(() => approvalOutcome({ onReject: 'fail' }, { ...decided, decision: 'REJECTED' }))).toBe(
      'APPROVAL_REJECTED',
    );
  });

  it('does on a timeout what the node says', () => {
    expect(codeOf(() => approvalTimeoutOutcome({ timeoutMs: 5 }))).toBe('APPROVAL_TIMED_OUT');
    expect(approvalTimeoutOutcome({ onTimeout: 'approve' }).port).toBe('approved');
    expect(approvalTimeoutOutcome({ onTimeout: 'reject' }).port).toBe('rejected');
    expect(approvalTimeoutOutcome({ onTimeout: 'route' })).toMatchObject({
      port: 'timed_out',
      output: { decision: null },
    });
    expect(codeOf(() => approvalTimeoutOutcome({ onTimeout: 'reject', onReject: 'fail' }))).toBe('APPROVAL_REJECTED');
  });
});

describe('the validator of the approve update', () => {
  const compiled = compileDefinition({
    name: 'x',
    nodes: [
      { id: 'ask', type: 'approval', config: { title: 'Go on?', timeoutMs: 11 } },
      { id: 'call', type: 'http', config: { url: 'https://example.org' } },
      { id: 'later', type: 'approval', config: { title: 'And now?' } },
    ],
    edges: [{ from: 'ask', port: 'approved', to: 'later' }],
  });
  const waiting = evolve(compiled, initialState(compiled), { type: 'run.started', at: 0, input: null });
  const request: ApproveArguments = { nodeId: 'ask', decision: 'APPROVED', comment: null, data: null, decidedBy: null };
  const check = (change: object, state = waiting, now = 10) =>
    codeOf(() => assertCanDecide(compiled, state, { ...request, ...change }, now));

  it('lets an answer to a waiting node through, before its deadline', () => {
    expect(check({})).toBeNull();
  });

  it('refuses one at the deadline or after, as the timer is first in history', () => {
    expect(check({}, waiting, 11)).toBe('NOT_WAITING');
  });

  it('refuses unknown nodes, other types, nodes that do not wait, other words and closing runs', () => {
    expect(check({ nodeId: 'nobody' })).toBe('NOT_FOUND');
    expect(check({ nodeId: 'constructor' })).toBe('NOT_FOUND');
    expect(check({ nodeId: 'call' })).toBe('NOT_WAITING');
    expect(check({ nodeId: 'later' })).toBe('NOT_WAITING');
    expect(check({ decision: 'MAYBE' })).toBe('INPUT_INVALID');
    expect(check({}, evolve(compiled, waiting, { type: 'run.cancel_requested', at: 1, reason: null }))).toBe(
      'NOT_WAITING',
    );
    expect(check({}, evolve(compiled, waiting, { type: 'run.terminated', at: 1, reason: null }))).toBe('NOT_WAITING');
  });
});
