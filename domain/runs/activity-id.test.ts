import { describe, expect, it } from '@jest/globals';
import { activityId, parseActivityId } from './activity-id.ts';

describe('activityId', () => {
  it('is read back', () => {
    expect(activityId('analyze', '2')).toBe('analyze#2');
    expect(parseActivityId('analyze#2')).toEqual({ nodeId: 'analyze', iteration: '2' });
  });

  it('is not read from ids of other activities', () => {
    for (const id of ['', 'analyze', '#1', '1a#1', 'a#', 'a#1#2', 'a b#1']) expect(parseActivityId(id)).toBeNull();
  });
});
