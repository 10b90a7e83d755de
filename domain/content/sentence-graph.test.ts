import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { sentenceGraph, sentenceVectors, similarity } from './sentence-graph.ts';

const texts = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { maxLength: 8 }), {
  maxLength: 12,
});

describe('sentenceVectors', () => {
  it('makes unit vectors in which a rare term weighs more than a common one', () => {
    const [vector] = sentenceVectors([['light', 'ray'], ['light'], ['light']]);
    expect(Math.hypot(...vector!.values())).toBeCloseTo(1);
    expect(vector!.get('ray')).toBeGreaterThan(vector!.get('light')!);
  });
});

describe('sentenceGraph', () => {
  it('joins exactly the sentences that share a term, with their cosine, both ways', () => {
    fc.assert(
      fc.property(texts, (sentences) => {
        const vectors = sentenceVectors(sentences);
        const graph = sentenceGraph(vectors);
        vectors.forEach((one, from) =>
          vectors.forEach((other, to) => {
            if (from === to) return;
            const edge = graph[from]!.find((candidate) => candidate.to === to);
            expect(edge?.weight ?? 0).toBeCloseTo(similarity(one, other));
          }),
        );
      }),
    );
  });

  it('stays sparse when every sentence shares the same words', () => {
    const sentences = Array.from({ length: 400 }, (_, at) => ['common', `topic${at % 10}`]);
    const edges = sentenceGraph(sentenceVectors(sentences)).map((row) => row.length);
    expect(Math.max(...edges)).toBeLessThan(80);
  });
});
