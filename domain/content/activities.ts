import type { ContentAnalysis } from './content-analysis.ts';

export type AnalyzeContentInput = {
  /** The text; plain or Markdown. */
  text: string;
  title?: string;
  /** Most keywords to return; default 15. */
  maxKeywords?: number;
  /** Most concepts to return; default 20. */
  maxConcepts?: number;
  /** Sentences of the extractive summary; default 5. */
  summarySentences?: number;
};

export interface ContentActivities {
  /**
   * Analyses a text by rules, without a model. Idempotent. Heartbeats every second while the worker thread computes.
   * @throws CONTENT_TOO_LARGE above the size limit, CONTENT_UNSUPPORTED for text without words.
   */
  'content.analyze'(input: AnalyzeContentInput): Promise<ContentAnalysis>;
}
