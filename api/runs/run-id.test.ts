import { describe, expect, it } from '@jest/globals';
import { DEFAULT_TENANT, tenantId } from '../../domain/identifiers.ts';
import { newRunId } from './run-id.ts';

describe('newRunId', () => {
  it('is new every time without a key, and sorts by the time of making', async () => {
    const ids: string[] = [];
    for (let made = 0; made < 3; made += 1) {
      ids.push(newRunId(DEFAULT_TENANT, 'a', null));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(new Set(ids).size).toBe(3);
    expect([...ids].sort()).toEqual(ids);
  });

  it('depends on tenant, workflow and key together', () => {
    const same = newRunId(DEFAULT_TENANT, 'a', 'b');
    expect(newRunId(DEFAULT_TENANT, 'a', 'b')).toBe(same);
    expect(newRunId(DEFAULT_TENANT, 'ab', '')).not.toBe(same);
    expect(newRunId(DEFAULT_TENANT, 'a"', 'b')).not.toBe(newRunId(DEFAULT_TENANT, 'a', '"b'));
    expect(newRunId(tenantId('other'), 'a', 'b')).not.toBe(same);
  });
});
