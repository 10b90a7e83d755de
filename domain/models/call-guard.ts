import type { ErrorCode } from '../errors.ts';
import type { EmbedRequest, FinishReason, GenerateRequest, TokenUsage } from './generation.ts';

/** A node's execution that calls a model. */
export type CallPlace = { runId: string; nodeId: string; iteration: string; attempt: number };

/** One call of one model: a chain makes several, and so does the repair of an answer that does not match its schema. */
export type ModelCall = {
  /** The same in `beforeCall` and `afterCall`; made of the place and a counter, so that a retry of the activity gives others. */
  id: string;
  /** Null for a call from outside a run. */
  place: CallPlace | null;
  provider: string;
  model: string;
  purpose: 'answer' | 'repair' | 'embed' | 'test';
} & ({ kind: 'generate'; request: GenerateRequest } | { kind: 'embed'; request: EmbedRequest });

export type CallOutcome = {
  /** `aborted`: given up on our side, after which the provider may still charge for what it made. */
  status: 'ok' | 'failed' | 'aborted';
  /** The model that served it, or the one that was asked. */
  model: string;
  /** What is known, also of calls that failed or were aborted in the middle; null where nothing was used or nobody meters. */
  usage: TokenUsage | null;
  /** Whether some of `usage` was counted by us from the text received. */
  isEstimated: boolean;
  error: { code: ErrorCode; message: string } | null;
  finishReason: FinishReason | null;
  startedAt: Date;
  durationMs: number;
  firstTokenMs: number | null;
};

/** Who is asked before every call of a model and told after it: budgets, quotas, records. */
export interface CallGuard {
  /** @throws to keep the call from being made; guards before it are told that it failed */
  beforeCall?(call: ModelCall): Promise<void>;
  /** Called once for each `beforeCall` that let it pass. Its failures are logged, not thrown. */
  afterCall(call: ModelCall, outcome: CallOutcome): Promise<void>;
}
