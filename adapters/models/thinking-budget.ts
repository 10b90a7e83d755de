import type { ReasoningEffort } from '../../domain/models/generation.ts';

/** Tokens to think with, for models that take a number. */
export const THINKING_TOKENS: Readonly<Record<Exclude<ReasoningEffort, 'none'>, number>> = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 24_576,
};
