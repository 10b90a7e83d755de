import { describe, expect, it } from '@jest/globals';
import type { PartOfSpeech, Sentence } from './document.ts';
import { findConcepts } from './find-concepts.ts';

const TAGS: { [ending: string]: PartOfSpeech } = { n: 'NOUN', a: 'ADJ', v: 'VERB', o: 'OTHER' };

/** `acid/a salt/n the/o`: words with their part of speech. */
function sentence(tagged: string, block = 0): Sentence {
  const tokens = tagged.split(' ').map((item) => {
    const [text = '', tag = 'o'] = item.split('/');
    const partOfSpeech = TAGS[tag]!;
    return { text, lemma: text.toLowerCase(), partOfSpeech, stop: partOfSpeech === 'OTHER', word: true };
  });
  return { text: tokens.map(({ text }) => text).join(' '), block, heading: false, tokens, sentiment: 0 };
}

const find = (sentences: string[], most = 10) =>
  findConcepts(
    sentences.map((tagged) => sentence(tagged)),
    most,
  );

describe('findConcepts', () => {
  it('prefers a phrase over the word that occurs only within it', () => {
    const concepts = find(['island/a crystal/n refracts/v', 'the/o island/a crystal/n', 'an/o island/a crystal/n']);
    expect(concepts.map(({ name, mentions }) => [name, mentions])).toEqual([['island crystal', 3]]);
  });

  it('keeps a word that also stands alone', () => {
    const concepts = find(['acid/a salt/n', 'acid/a salt/n', 'salt/n', 'salt/n', 'salt/n dissolves/v']);
    expect(concepts.map(({ name }) => name).toSorted()).toEqual(['acid salt', 'salt']);
  });

  it('counts singular and plural as one, under the spelling used most', () => {
    const [ray] = find(['the/o Rays/n bend/v', 'Rays/n', 'a/o ray/n']);
    expect(ray).toMatchObject({ name: 'Rays', mentions: 3 });
  });

  it('relates concepts by the sentences they share, the strongest tie first', () => {
    const concepts = find([
      'prism/n colour/n'.replace(' ', ' and/o '),
      'prism/n and/o colour/n',
      'prism/n and/o glass/n',
      'glass/n',
      'wheat/n',
      'wheat/n',
    ]);
    expect(concepts.find(({ name }) => name === 'prism')?.related).toEqual(['colour', 'glass']);
    expect(concepts.find(({ name }) => name === 'wheat')?.related).toEqual([]);
  });

  it('leaves out what is mentioned once, unless nothing is mentioned twice', () => {
    expect(find(['light/n', 'light/n', 'shadow/n']).map(({ name }) => name)).toEqual(['light']);
    expect(find(['light/n and/o shadow/n']).map(({ name }) => name)).toEqual(['light', 'shadow']);
  });

  it('breaks ties by the alphabet', () => {
    expect(find(['b/n and/o', 'bb/n', 'bb/n', 'aa/n', 'aa/n'], 2).map(({ name }) => name)).toEqual(['aa', 'bb']);
  });
});
