import { describe, expect, it } from '@jest/globals';
import { loadSettings } from '../config/load.ts';
import type { PoolRow } from '../domain/runs/pools.ts';
import { loadPools } from '../temporal/load-pools.ts';
import { budgetBytes, cachedRuns, createTuner, memoryTarget } from './create-tuner.ts';

const GIB = 1024 ** 3;
const pools = loadPools(loadSettings({}));
const limited = (...budgets: (number | null)[]): PoolRow[] =>
  budgets.map((memoryMb) => ({ ...(pools[0] as PoolRow), memoryMb }));

describe('the memory that a worker may use', () => {
  it('is the sum of the budgets of its pools, where every one has a budget', () => {
    expect(budgetBytes(limited(512, 512))).toBe(GIB);
    expect(budgetBytes(limited(512, null))).toBeNull();
    expect(budgetBytes([])).toBeNull();
  });

  it('is a part of the container it is alone in', () => {
    const memory = { total: 2 * GIB, used: 8 * GIB, own: GIB / 4, container: true };
    expect(memoryTarget(0.85, GIB, memory)).toBe(0.5);
    expect(memoryTarget(0.85, 4 * GIB, memory)).toBe(0.85);
  });

  it('comes on top of what others have on a machine', () => {
    const memory = { total: 16 * GIB, used: 4.25 * GIB, own: GIB / 4, container: false };
    expect(memoryTarget(0.85, 2 * GIB, memory)).toBe(6 / 16);
    expect(memoryTarget(0.85, null, memory)).toBe(0.85);
  });

  it('says how many runs are kept, unless a setting does', () => {
    expect(cachedRuns(null, null)).toEqual({ maxCachedWorkflows: 500 });
    expect(cachedRuns(null, 1224)).toEqual({ maxCachedWorkflows: 600 });
    expect(cachedRuns(null, 128)).toEqual({ maxCachedWorkflows: 10 });
    expect(cachedRuns(7, 1224)).toEqual({ maxCachedWorkflows: 7 });
  });
});

describe('the slots of a pool', () => {
  it('are all of its concurrency with the fixed tuner', () => {
    const slotsOf = createTuner(loadSettings({ WEFT_WORKER_TUNER: 'fixed' }), pools);
    expect(pools.map((pool) => slotsOf(pool))).toEqual(
      [100, 4, 16].map((slots) => ({ maxConcurrentActivityTaskExecutions: slots })),
    );
  });

  it('are given out by resources otherwise, from a quarter up to the concurrency, by one measure for all pools', () => {
    const slotsOf = createTuner(loadSettings({}), pools);
    const suppliers = pools.map((pool) => {
      const { tuner } = slotsOf(pool);
      return tuner && 'activityTaskSlotSupplier' in tuner ? tuner.activityTaskSlotSupplier : undefined;
    });
    expect(suppliers).toMatchObject([
      { type: 'resource-based', minimumSlots: 25, maximumSlots: 100 },
      { type: 'resource-based', minimumSlots: 2, maximumSlots: 4 },
      { type: 'resource-based', minimumSlots: 4, maximumSlots: 16 },
    ]);
    expect(new Set(suppliers.map((supplier) => supplier && 'controller' in supplier && supplier.controller)).size).toBe(
      1,
    );
  });
});
