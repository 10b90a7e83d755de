/** Universal part-of-speech tag; `X` where the language has no tagger. */
export type PartOfSpeech = 'ADJ' | 'NOUN' | 'PROPN' | 'VERB' | 'ADP' | 'X' | 'OTHER';

export type Token = {
  text: string;
  /** Lower-case base form. */
  lemma: string;
  partOfSpeech: PartOfSpeech;
  /** Too common to carry a topic. */
  stop: boolean;
  /** A word with letters; false for punctuation, numbers, addresses. */
  word: boolean;
};

export type Sentence = {
  text: string;
  /** Index of its block in the text. */
  block: number;
  heading: boolean;
  tokens: Token[];
  /** -1..1 */
  sentiment: number;
};

/** A paragraph, list item or heading, its white space and markup removed. */
export type Block = { text: string; heading: boolean };
