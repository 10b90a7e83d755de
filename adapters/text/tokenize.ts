import winkNLP, { type ItsFunction } from 'wink-nlp';
import model from 'wink-eng-lite-web-model';
import type { Block, PartOfSpeech, Sentence, Token } from '../../domain/content/document.ts';

export type Tokenizer = (blocks: readonly Block[], language: string | null) => Sentence[];

const TAGGED = new Set<string>(['ADJ', 'NOUN', 'PROPN', 'VERB', 'ADP']);
/** Without a stop list for a language, words this short or in this share of its sentences are taken for function words. */
const SHORT_WORD = 3;
const COMMON_SHARE = 0.2;

/** Loads the English model, which takes a few hundred ms. */
export function createTokenizer(): Tokenizer {
  const nlp = winkNLP(model, ['sbd', 'pos', 'negation', 'sentiment']);
  return (blocks, language) => {
    const english = language === 'en' || language === null;
    const sentences = blocks.flatMap((block, at) => joinFragments(sentencesOf(nlp, block, at)));
    return english ? sentences : withoutTags(sentences);
  };
}

function sentencesOf(nlp: ReturnType<typeof winkNLP>, block: Block, at: number): Sentence[] {
  const { its } = nlp;
  const document = nlp.readDoc(block.text);
  const tokens = document.tokens();
  const texts = tokens.out<string>(its.value);
  const lemmas = tokens.out<string>(its.lemma as ItsFunction<string>);
  const tags = tokens.out<string>(its.pos);
  const stops = tokens.out(its.stopWordFlag) as boolean[];
  const kinds = tokens.out<string>(its.type);
  const all = texts.map((text, index): Token => {
    const tag = tags[index]!;
    return {
      text,
      lemma: lemmas[index]!.toLowerCase(),
      partOfSpeech: (TAGGED.has(tag) ? tag : 'OTHER') as PartOfSpeech,
      stop: stops[index]!,
      word: kinds[index] === 'word' && /\p{L}/u.test(text),
    };
  });
  const spans = document.sentences().out(its.span) as unknown as [number, number][];
  const sentiments = document.sentences().out(its.sentiment) as unknown as number[];
  const surfaces = document.sentences().out();
  return spans.map(([first, last], index) => ({
    text: surfaces[index]!.trim(),
    block: at,
    heading: block.heading,
    tokens: all.slice(first, last + 1),
    sentiment: sentiments[index]!,
  }));
}

/** `Quest.` and `31.` are no sentences: they belong to the one that follows. */
function joinFragments(sentences: readonly Sentence[]): Sentence[] {
  return sentences.reduceRight<Sentence[]>((joined, sentence) => {
    const [next, ...rest] = joined;
    if (!next || !isFragment(sentence)) return [sentence, ...joined];
    const text = `${sentence.text} ${next.text}`;
    return [{ ...next, text, tokens: [...sentence.tokens, ...next.tokens] }, ...rest];
  }, []);
}

function isFragment({ text, tokens }: Sentence): boolean {
  const words = tokens.filter((token) => token.word).length;
  return words === 0 || (words === 1 && text.endsWith('.'));
}

function withoutTags(sentences: readonly Sentence[]): Sentence[] {
  const spread = new Map<string, number>();
  for (const { tokens } of sentences) {
    for (const word of new Set(tokens.map((token) => token.text.toLowerCase()))) {
      spread.set(word, (spread.get(word) ?? 0) + 1);
    }
  }
  const isCommon = (word: string) =>
    word.length <= SHORT_WORD || (sentences.length >= 5 && spread.get(word)! > sentences.length * COMMON_SHARE);
  return sentences.map((sentence) => ({
    ...sentence,
    sentiment: 0,
    tokens: sentence.tokens.map((token) => {
      const word = token.text.toLowerCase();
      return { ...token, lemma: word, partOfSpeech: 'X' as const, stop: isCommon(word) };
    }),
  }));
}
