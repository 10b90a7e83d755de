import type { TextThreads } from '../../adapters/text/text-threads.ts';
import type { AnalyzeContentInput } from '../../domain/content/activities.ts';
import type { ContentAnalysis } from '../../domain/content/content-analysis.ts';
import { AppError } from '../../domain/errors.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';

export type AnalyzeContentDependencies = {
  text: TextThreads;
  /** Largest text, in bytes of UTF-8. */
  maxBytes: number;
};

export function analyzeContent({ text, maxBytes }: AnalyzeContentDependencies) {
  return (input: AnalyzeContentInput): Promise<ContentAnalysis> =>
    heartbeatWhile(async (signal) => {
      const bytes = Buffer.byteLength(input.text);
      if (bytes > maxBytes) throw new AppError('CONTENT_TOO_LARGE', { bytes, limitBytes: maxBytes });
      return text.run('analyze', input, signal);
    });
}
