import { describe, expect, it } from '@jest/globals';
import { type AuditedEvent, compareWithHistory } from './audit.ts';

const at = new Date('2026-11-24T06:00:00.123Z');
const event = (version: number, more: Partial<AuditedEvent> = {}): AuditedEvent => ({
  ...{ version, type: 'node.completed', occurredAt: at, payload: { nodeId: 'a', output: { n: version } } },
  ...more,
});
const history = [event(1), event(2), event(3)];

describe('stored events beside a history', () => {
  it('have no differences when they say the same, in whatever order of keys', () => {
    const stored = history.map((one) => ({ ...one, payload: { output: { n: one.version }, nodeId: 'a' } }));
    expect(compareWithHistory(stored, history, { open: false })).toEqual([]);
  });

  it('differ by type, by time, and by the field of the payload', () => {
    const stored = [
      event(1, { type: 'node.failed' }),
      event(2, { occurredAt: new Date(at.getTime() + 1) }),
      event(3, { payload: { nodeId: 'a', output: { n: 4 } } }),
    ];
    expect(compareWithHistory(stored, history, { open: false })).toEqual([
      { version: 1, field: 'type', stored: 'node.failed', history: 'node.completed' },
      { version: 2, field: 'occurredAt', stored: '2026-11-24T06:00:00.124Z', history: '2026-11-24T06:00:00.123Z' },
      { version: 3, field: 'payload.output', stored: { n: 4 }, history: { n: 3 } },
    ]);
  });

  it('differ where a field is null on one side and absent on the other', () => {
    const [one] = compareWithHistory([event(1, { payload: { a: null } })], [event(1, { payload: {} })], {
      open: false,
    });
    expect(one).toEqual({ version: 1, field: 'payload', stored: { a: null }, history: {} });
  });

  it('lack what is missing, and have too many beyond the end of a closed history alone', () => {
    expect(compareWithHistory([event(1), event(3)], history, { open: true })).toEqual([
      { version: 2, field: 'event', stored: null, history: 'node.completed' },
    ]);
    const longer = [...history, event(4)];
    expect(compareWithHistory(longer, history, { open: true })).toEqual([]);
    expect(compareWithHistory(longer, history, { open: false })).toEqual([
      { version: 4, field: 'event', stored: 'node.completed', history: null },
    ]);
  });
});
