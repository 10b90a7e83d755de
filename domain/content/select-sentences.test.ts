import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Sentence } from './document.ts';
import { selectSentences } from './select-sentences.ts';

function sentence(words: readonly string[], heading = false): Sentence {
  const tokens = words.map((text) => ({ text, lemma: text, partOfSpeech: 'NOUN' as const, stop: false, word: true }));
  return { text: words.join(' '), block: 0, heading, tokens, sentiment: 0 };
}

const words = (text: string) => sentence(text.split(' '));
const atMost = (most: number) => ({ fits: (_: Sentence, taken: readonly Sentence[]) => taken.length < most });

describe('selectSentences', () => {
  it('takes the sentence that the others are about', () => {
    const sentences = [
      words('glass bends rays prism colour spectrum'),
      words('farmer sows wheat field spring rain'),
      words('glass prism lens window bottle mirror'),
      words('rays colour rainbow sunlight dusk dawn'),
      words('spectrum bends lines bands width depth'),
    ];
    expect(selectSentences(sentences, atMost(1))).toEqual([sentences[0]]);
  });

  it('does not repeat itself', () => {
    const same = 'glass bends rays prism colour spectrum';
    const sentences = [words(same), words(same), words(same), words('farmer sows wheat field spring rays')];
    expect(selectSentences(sentences, atMost(2))).toEqual([sentences[0], sentences[3]]);
  });

  it('leans towards the focus', () => {
    const sentences = [
      words('glass bends rays prism colour spectrum'),
      words('glass bends rays prism colour mirror'),
      words('farmer sows wheat field spring rain'),
    ];
    expect(selectSentences(sentences, { ...atMost(1), focus: ['wheat'] })).toEqual([sentences[2]]);
  });

  it('takes headings and fragments only where there is no prose', () => {
    const heading = sentence(['glass', 'rays', 'prism', 'colour', 'light', 'lens'], true);
    const prose = words('glass bends rays prism colour spectrum');
    expect(selectSentences([heading, words('glass'), prose], atMost(5))).toEqual([prose]);
    expect(selectSentences([heading], atMost(5))).toEqual([heading]);
  });

  it('gives some of the sentences, in reading order, the same each time', () => {
    const vocabulary = fc.constantFrom('ray', 'glass', 'prism', 'wheat', 'field', 'salt', 'acid', 'metal', 'water');
    const texts = fc.array(fc.array(vocabulary, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 8 }), (lists, most) => {
        const sentences = lists.map((list) => sentence(list));
        const chosen = selectSentences(sentences, atMost(most));
        const places = chosen.map((item) => sentences.indexOf(item));
        expect(chosen.length).toBeGreaterThan(0);
        expect(chosen.length).toBeLessThanOrEqual(most);
        expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b));
        expect(selectSentences(sentences, atMost(most))).toEqual(chosen);
      }),
    );
  });
});
