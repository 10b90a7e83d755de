import { AppError } from '../../domain/errors.ts';
import type { CallGuard, CallOutcome, ModelCall } from '../../domain/models/call-guard.ts';
import { estimateTokens } from '../../domain/models/estimate-tokens.ts';
import {
  type EmbedResult,
  type GenerateRequest,
  type GenerateResult,
  NO_TOKENS,
  type TokenUsage,
} from '../../domain/models/generation.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import type { TokenEvent } from '../../domain/models/token-event.ts';

type Model = LanguageModel<AbortSignal>;
type Log = { warn: (message: string, fields: Record<string, unknown>) => void };
export type GuardDependencies = { guards: readonly CallGuard[]; log: Log };

/** What is known of a call while it is under way. */
export type CallProgress = { usage: TokenUsage | null; text: string; firstTokenAt: number | null };

/** Asks the guards, makes the call, and tells them how it went, also when it broke off in the middle. */
export async function guardedCall<Result extends GenerateResult | EmbedResult>(
  { guards, log }: GuardDependencies,
  call: ModelCall,
  signal: AbortSignal,
  make: (progress: CallProgress) => Promise<Result>,
): Promise<Result> {
  const progress: CallProgress = { usage: null, text: '', firstTokenAt: null };
  const passed: CallGuard[] = [];
  const startedAt = new Date();
  const began = performance.now();
  const tell = async (
    outcome: Pick<CallOutcome, 'status' | 'model' | 'usage' | 'isEstimated' | 'error' | 'finishReason'>,
  ) => {
    const durationMs = Math.round(performance.now() - began);
    const firstTokenMs = progress.firstTokenAt === null ? null : Math.round(progress.firstTokenAt - began);
    for (const guard of passed.toReversed()) {
      try {
        await guard.afterCall(call, { ...outcome, startedAt, durationMs, firstTokenMs });
      } catch (error) {
        log.warn('a guard of model calls failed after the call', { error, callId: call.id });
      }
    }
  };
  try {
    for (const guard of guards) {
      await guard.beforeCall?.(call);
      passed.push(guard);
    }
    const result = await make(progress);
    const finishReason = 'finishReason' in result ? result.finishReason : null;
    await tell({
      status: 'ok',
      model: result.model,
      usage: result.usage,
      isEstimated: false,
      error: null,
      finishReason,
    });
    return result;
  } catch (error) {
    const status = signal.aborted ? 'aborted' : 'failed';
    const known = error instanceof AppError ? { code: error.code, message: error.message } : null;
    await tell({
      status,
      model: call.model,
      ...usageOfBroken(call, progress, status),
      error: known,
      finishReason: null,
    });
    throw error;
  }
}

/** A provider charges for what it made before the end; what it did not count is estimated from what came. */
function usageOfBroken(
  call: ModelCall,
  { usage, text }: CallProgress,
  status: 'aborted' | 'failed',
): Pick<CallOutcome, 'usage' | 'isEstimated'> {
  const received = estimateTokens(text);
  if (usage !== null) {
    const isShort = received > usage.outputTokens;
    return { usage: isShort ? { ...usage, outputTokens: received } : usage, isEstimated: isShort };
  }
  const wasUnderWay = text !== '' || status === 'aborted';
  if (!wasUnderWay || call.kind === 'embed') return { usage: null, isEstimated: false };
  return {
    usage: { ...NO_TOKENS, inputTokens: estimatedInput(call.request), outputTokens: received },
    isEstimated: true,
  };
}

export const estimatedInput = ({ messages, source = '', tools = [], schema }: GenerateRequest): number =>
  estimateTokens(
    JSON.stringify(messages) +
      source +
      (tools.length > 0 ? JSON.stringify(tools) : '') +
      (schema ? JSON.stringify(schema) : ''),
  );

/** Collects the answer, handing on what comes as it comes. */
export async function streamedAnswer(
  model: Model,
  request: GenerateRequest,
  { signal, progress, onToken }: { signal: AbortSignal; progress: CallProgress; onToken: (event: TokenEvent) => void },
): Promise<GenerateResult> {
  for await (const part of model.stream(request, signal)) {
    if (part.type === 'end') return part.result;
    if (part.type === 'usage') {
      progress.usage = part.usage;
      continue;
    }
    progress.firstTokenAt ??= performance.now();
    if (part.type === 'text' || part.type === 'reasoning') progress.text += part.text;
    onToken(part);
  }
  throw new AppError('MODEL_UNAVAILABLE', { provider: model.provider, detail: 'the answer broke off' });
}
