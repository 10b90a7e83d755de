import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NO_TURNS, type Turns } from './fair-turns.ts';
import { nextTenant, takeTenantTurn, weightOfTenant } from './tenant-turns.ts';

/** Turns of at most this many runs. */
const MOST = 25;

const tenants = fc.uniqueArray(
  fc.record({ id: fc.stringMatching(/^[a-z]{1,6}$/), weight: fc.constantFrom(0.1, 0.5, 1, 2, 3, 10) }),
  { minLength: 2, maxLength: 6, selector: ({ id }) => id },
);

describe('turns between tenants', () => {
  it('give each that has runs waiting its weight of what is admitted, within one turn of each', () => {
    fc.assert(
      fc.property(
        tenants,
        fc.array(fc.integer({ min: 1, max: MOST }), { minLength: 1, maxLength: 300 }),
        (all, sizes) => {
          const got = new Map(all.map(({ id }) => [id, 0]));
          const of = new Map(all.map((tenant) => [tenant.id, tenant]));
          let turns: Turns = NO_TURNS;
          for (const runs of sizes) {
            const id = nextTenant([...of.keys()], turns) as string;
            turns = takeTenantTurn(turns, id, { weight: of.get(id)?.weight as number, runs });
            got.set(id, (got.get(id) as number) + runs);
            for (const left of all) {
              for (const right of all) {
                const ahead = (got.get(left.id) as number) / left.weight - (got.get(right.id) as number) / right.weight;
                expect(Math.abs(ahead)).toBeLessThanOrEqual(MOST / left.weight + MOST / right.weight + 1e-6);
              }
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('come at once to a tenant that had nothing waiting, and it has saved nothing up', () => {
    let turns: Turns = NO_TURNS;
    for (let count = 0; count < 50; count += 1) turns = takeTenantTurn(turns, 'busy', { weight: 1, runs: 10 });
    expect(nextTenant(['busy', 'quiet'], turns)).toBe('quiet');
    turns = takeTenantTurn(turns, 'quiet', { weight: 1, runs: 20 });
    expect(nextTenant(['busy', 'quiet'], turns)).toBe('busy');
  });

  it('cost nothing when nothing could be admitted', () => {
    expect(takeTenantTurn(NO_TURNS, 'acme', { weight: 1, runs: 0 })).toBe(NO_TURNS);
  });
});

describe('the weight of a tenant', () => {
  it('is its own, else that of `default`, else 1', () => {
    expect(weightOfTenant({ acme: 3, default: 0.5 }, 'acme')).toBe(3);
    expect(weightOfTenant({ acme: 3, default: 0.5 }, 'beta')).toBe(0.5);
    expect(weightOfTenant({ acme: 3 }, 'constructor')).toBe(1);
  });
});
