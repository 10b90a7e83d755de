import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { pageRank, type Edge } from './page-rank.ts';

const graphs = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.array(
    fc.uniqueArray(fc.record({ to: fc.nat(size - 1), weight: fc.double({ min: 0.01, max: 10, noNaN: true }) }), {
      selector: (edge) => edge.to,
      maxLength: size,
    }),
    { minLength: size, maxLength: size },
  ),
);

describe('pageRank', () => {
  it('gives the known ranks of a star', () => {
    const leaf: Edge[] = [{ to: 0, weight: 1 }];
    const star: Edge[][] = [[1, 2, 3].map((to) => ({ to, weight: 1 })), leaf, leaf, leaf];
    const centre = (0.15 / 4 + 0.85 * (3 * (0.15 / 4))) / (1 - 0.85 ** 2);
    const [first, ...rest] = pageRank(star);
    expect(first).toBeCloseTo(centre, 4);
    for (const rank of rest) expect(rank).toBeCloseTo((1 - centre) / 3, 4);
  });

  it('shares the walk out by weight', () => {
    const ranks = pageRank([
      [
        { to: 1, weight: 3 },
        { to: 2, weight: 1 },
      ],
      [{ to: 0, weight: 1 }],
      [{ to: 0, weight: 1 }],
    ]);
    expect(ranks[1]! - 0.05).toBeCloseTo(3 * (ranks[2]! - 0.05), 4);
  });

  it('leans towards where the walk restarts', () => {
    const pair: Edge[][] = [[{ to: 1, weight: 1 }], [{ to: 0, weight: 1 }]];
    const [first, second] = pageRank(pair, [1, 0]);
    expect(first).toBeGreaterThan(second!);
  });

  it('sums to 1 on any graph, dead ends included, and is the same each time', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const ranks = pageRank(graph);
        expect(ranks.reduce((sum, rank) => sum + rank, 0)).toBeCloseTo(1, 6);
        expect(Math.min(...ranks)).toBeGreaterThan(0);
        expect(pageRank(graph)).toEqual(ranks);
      }),
    );
  });

  it('answers nothing for nothing', () => {
    expect(pageRank([])).toEqual([]);
  });
});
