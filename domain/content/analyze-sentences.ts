import { AppError } from '../errors.ts';
import type { AnalyzeContentInput } from './activities.ts';
import type { ContentAnalysis } from './content-analysis.ts';
import type { Sentence } from './document.ts';
import { findConcepts } from './find-concepts.ts';
import { rankKeywords } from './rank-keywords.ts';
import { difficultyOf, readabilityOf, readingTimeMs, wordsOf } from './readability.ts';
import { selectSentences } from './select-sentences.ts';

const NEUTRAL = 0.05;

/** What can be said of a text once it is cut into sentences and tokens. */
export function analyzeSentences(
  sentences: readonly Sentence[],
  language: string | null,
  input: AnalyzeContentInput,
): ContentAnalysis {
  const words = sentences.flatMap((sentence) => wordsOf(sentence.text));
  if (words.length === 0) throw new AppError('CONTENT_UNSUPPORTED', { detail: 'the text has no words' });
  const english = language === 'en' || language === null;
  const readability = english ? readabilityOf(words, sentences.length) : null;
  return {
    title: input.title ?? titleOf(sentences),
    language,
    words: words.length,
    sentences: sentences.length,
    readingTimeMs: readingTimeMs(words.length),
    keywords: rankKeywords(sentences, input.maxKeywords ?? 15),
    concepts: findConcepts(sentences, input.maxConcepts ?? 20),
    sentiment: english ? sentimentOf(sentences) : null,
    readability,
    difficulty: readability && difficultyOf(readability.fleschKincaidGrade),
    summary: summaryOf(sentences, input.summarySentences ?? 5),
  };
}

function titleOf(sentences: readonly Sentence[]): string | null {
  const first = sentences[0];
  return first?.heading ? first.text : null;
}

function sentimentOf(sentences: readonly Sentence[]): NonNullable<ContentAnalysis['sentiment']> {
  const mean = sentences.reduce((sum, sentence) => sum + sentence.sentiment, 0) / sentences.length;
  const score = Math.round(Math.max(-1, Math.min(1, mean)) * 1000) / 1000;
  return { label: score > NEUTRAL ? 'positive' : score < -NEUTRAL ? 'negative' : 'neutral', score };
}

function summaryOf(sentences: readonly Sentence[], most: number): string[] {
  return selectSentences(sentences, { fits: (_, taken) => taken.length < most }).map((sentence) => sentence.text);
}
