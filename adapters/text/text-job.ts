import { analyzeSentences } from '../../domain/content/analyze-sentences.ts';
import { condense, focusOf } from '../../domain/content/condense.ts';
import type { AnalyzeContentInput } from '../../domain/content/activities.ts';
import type { ContentAnalysis } from '../../domain/content/content-analysis.ts';
import type { Sentence } from '../../domain/content/document.ts';
import { dropBoilerplate } from '../../domain/content/drop-boilerplate.ts';
import { splitIntoBlocks } from '../../domain/content/split-into-blocks.ts';
import { detectLanguage } from './detect-language.ts';
import type { Tokenizer } from './tokenize.ts';

export type CondenseInput = {
  source: string;
  /** The instruction; its topic words say what to lean towards. */
  prompt: string;
  maxTokens: number;
};

/** What a text thread can be asked for. */
export type TextJobs = {
  analyze: { input: AnalyzeContentInput; output: ContentAnalysis };
  condense: { input: CondenseInput; output: string };
};
export type TextJob = { [Kind in keyof TextJobs]: { kind: Kind; input: TextJobs[Kind]['input'] } }[keyof TextJobs];

export function runTextJob(tokenize: Tokenizer, job: TextJob): ContentAnalysis | string {
  if (job.kind === 'analyze') {
    const { sentences, language } = read(tokenize, job.input.text);
    return analyzeSentences(sentences, language, job.input);
  }
  const { source, prompt, maxTokens } = job.input;
  const focus = focusOf(tokenize(splitIntoBlocks(prompt), null));
  return condense(read(tokenize, source).sentences, focus, maxTokens);
}

function read(tokenize: Tokenizer, text: string): { sentences: Sentence[]; language: string | null } {
  const blocks = dropBoilerplate(splitIntoBlocks(text));
  const language = detectLanguage(blocks.map((block) => block.text).join('\n'));
  return { sentences: tokenize(blocks, language), language };
}
