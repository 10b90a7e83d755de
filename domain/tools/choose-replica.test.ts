import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chooseReplica, type Replica } from './choose-replica.ts';
import { MCP_BALANCING } from './mcp-server.ts';

const replica = (fields: Partial<Replica> = {}): Replica => ({
  url: 'http://a',
  weight: 1,
  active: 0,
  failures: 0,
  latencyMs: null,
  open: false,
  ...fields,
});
const anyReplica = fc
  .record({
    weight: fc.integer({ min: 1, max: 1_000 }),
    active: fc.nat(50),
    failures: fc.nat(10),
    latencyMs: fc.option(fc.nat(10_000)),
    open: fc.boolean(),
  })
  .map(replica);

describe('chooseReplica', () => {
  it('never chooses one that is left alone while another is there', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...MCP_BALANCING),
        fc.array(anyReplica, { minLength: 1, maxLength: 8 }),
        fc.nat(1_000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (balancing, replicas, turn, random) => {
          const chosen = replicas[chooseReplica(balancing, replicas, { turn, random })];
          expect(chosen).toBeDefined();
          if (replicas.some(({ open }) => !open)) expect(chosen?.open).toBe(false);
        },
      ),
    );
  });

  it('goes round, by weight, by calls under way, or by how they have been doing', () => {
    const two = [replica({ weight: 1 }), replica({ weight: 3 })];
    const turns = [0, 1, 2, 3].map((turn) => chooseReplica('round_robin', two, { turn, random: 0 }));
    expect(turns).toEqual([0, 1, 0, 1]);
    const draws = Array.from({ length: 100 }, (_, i) => chooseReplica('weighted', two, { turn: 0, random: i / 100 }));
    expect(draws.filter((index) => index === 1)).toHaveLength(75);
    const busy = [replica({ active: 2 }), replica({ active: 1 })];
    expect(chooseReplica('least_connections', busy, { turn: 0, random: 0 })).toBe(1);
    const unwell = [replica({ latencyMs: 5, failures: 1 }), replica({ latencyMs: 900 })];
    expect(chooseReplica('health', unwell, { turn: 0, random: 0 })).toBe(1);
  });
});
