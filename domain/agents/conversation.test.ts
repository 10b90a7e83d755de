import { describe, expect, it } from '@jest/globals';
import type { Message } from '../models/message.ts';
import { NOTHING_SPENT } from './agent.ts';
import { mailMessages, resultMessage, spentByCalls, splitForSummary } from './conversation.ts';

const result = (outcome: object, rule = 0) => ({ id: 'c', name: 'n', rule, outcome: outcome as never });
const told = (outcome: object, rule = 0) => {
  const message = resultMessage([result(outcome, rule)], ['mcp', 'agent', 'node'], 20);
  const [part] = (message as Extract<Message, { role: 'tool' }>).content;
  return [part?.output, part?.isError ?? false];
};

describe('what a model is told of its calls', () => {
  it('is what the tool gave, by the kind of it', () => {
    expect(told({ t0: { text: 'sun', structured: null, isError: false } })).toEqual(['sun', false]);
    expect(told({ t0: { text: 'sun', structured: { sky: 1 }, isError: false } })).toEqual([{ sky: 1 }, false]);
    expect(told({ t0: { text: 'no', structured: null, isError: true } })).toEqual(['no', true]);
    expect(told({ t1: { text: 'written', object: null } }, 1)).toEqual(['written', false]);
    expect(told({ t2: { status: 200 } }, 2)).toEqual([{ status: 200 }, false]);
  });

  it('is why there is no result: refused, failed, not answered, or settled by a person', () => {
    expect(told({ refused: 'no such tool' })).toEqual(['no such tool', true]);
    expect(told({ excused: { error: { code: 'X' } } })).toEqual([{ code: 'X' }, true]);
    expect(told({ ask0: { decision: 'REJECTED', comment: null } })[1]).toBe(true);
    expect(told({ ask0: null })).toEqual([expect.stringContaining('Nobody'), true]);
    expect(told({ settle: { decision: 'APPROVED', comment: 'seen', data: null } })[1]).toBe(false);
    expect(told({ settle: { decision: 'REJECTED', comment: null } })[1]).toBe(true);
  });

  it('is cut off where it is long', () => {
    expect(told({ t2: 'x'.repeat(30) }, 2)).toEqual([`${'x'.repeat(20)}\n[10 more characters are left out]`, false]);
  });
});

describe('a conversation', () => {
  it('takes up messages of people that have a text', () => {
    expect(mailMessages([{ data: { text: 'hi' } }, { data: { end: true } }, { data: 'ho' }])).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'user', content: 'ho' },
    ]);
  });

  it('is never cut between calls and their results', () => {
    const messages: Message[] = [
      { role: 'user', content: '1' },
      { role: 'assistant', content: [{ type: 'tool-call', id: 'c', name: 'n', input: {} }] },
      { role: 'tool', content: [] },
      { role: 'assistant', content: '2' },
    ];
    expect(splitForSummary(messages, 2).recent).toEqual(messages.slice(1));
    expect(splitForSummary(messages, 9).old).toEqual([]);
  });

  it('counts what sub-agents have used', () => {
    const spent = spentByCalls(
      NOTHING_SPENT,
      [result({ t1: { spent: { turns: 3, costMicroUsd: 7 } } }, 1)],
      ['mcp', 'agent'],
    );
    expect(spent).toMatchObject({ turns: 0, costMicroUsd: 7 });
  });
});
