import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../json.ts';
import { checkTriggerMapping, evaluateTriggerExpression, evaluateTriggerMapping } from './trigger-expression.ts';

const refused = (mapping: Json) => {
  try {
    checkTriggerMapping('SCHEDULE', mapping);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the expressions of triggers', () => {
  it('read what came in', () => {
    const values = { body: { id: 7, tags: ['a', 'b'] }, headers: { 'x-kind': 'paid' }, query: {}, webhook: {} };
    const mapping = { order: 'body.id', kind: 'headers["x-kind"]', tags: { count: 'size(body.tags)', fixed: '"yes"' } };
    expect(evaluateTriggerMapping('WEBHOOK', mapping, values)).toEqual({
      order: 7,
      kind: 'paid',
      tags: { count: 2, fixed: 'yes' },
    });
  });

  it('filter events', () => {
    const event = {
      id: '1',
      name: 'order.paid',
      correlation: null,
      data: { total: 120 },
      emittedAt: '2026-11-24T10:00:00Z',
    };
    expect(
      evaluateTriggerExpression('EVENT', 'event.data.total > 100 && event.name.startsWith("order.")', { event }),
    ).toBe(true);
  });

  it('fail with the expression that failed', () => {
    expect(() => evaluateTriggerExpression('EVENT', 'event.data.total', { event: { data: {} } })).toThrow(
      expect.objectContaining({ code: 'EXPRESSION_FAILED' }),
    );
  });

  it('are bounded', () => {
    const list = Array.from({ length: 2000 }, (_, index) => index);
    const squared = 'event.data.all(x, event.data.all(y, x + y >= 0))';
    expect(() => evaluateTriggerExpression('EVENT', squared, { event: { data: list } })).toThrow(
      expect.objectContaining({ code: 'EXPRESSION_FAILED' }),
    );
  });

  it('are checked when the trigger is made', () => {
    expect(checkTriggerMapping('SCHEDULE', { at: 'scheduledTime' })).toEqual({ at: 'scheduledTime' });
    expect(refused('scheduledTim')).toContain('Unknown variable: scheduledTim');
    expect(refused({ a: { b: 'input.x' } })).toContain('mapping.a.b: there is no input before the run has begun');
    expect(refused({ a: 5 })).toContain('must be a CEL expression');
    expect(refused('1 +')).toContain('line 1');
  });
});
