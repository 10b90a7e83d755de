import { AppError, type ErrorCode } from '../../domain/errors.ts';
import type { SkippedModel } from '../../domain/models/activities.ts';
import { missingCapabilities } from '../../domain/models/capabilities.ts';
import type { GenerateRequest } from '../../domain/models/generation.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import type { ChainLink } from '../../domain/models/model-chain.ts';
import type { ModelBreakers } from './model-breakers.ts';

type Model = LanguageModel<AbortSignal>;
export type Candidate = { language: Model; provider: string; model: string };

/** What another model answers no better. */
const FINAL: ReadonlySet<ErrorCode> = new Set(['MODEL_CONTENT_FILTERED', 'MODEL_OUTPUT_INVALID']);
const NOT_FOUND = 404;

/** @throws MODEL_UNSUPPORTED for a provider that is not in the table */
export function candidatesOf(models: ReadonlyMap<string, Model>, chain: readonly ChainLink[]): Candidate[] {
  return chain.map(({ provider, model }) => {
    const language = models.get(provider);
    if (language) return { language, provider, model: model ?? language.defaults.model };
    const detail = `there is no such provider; known are ${[...models.keys()].join(', ')}`;
    throw new AppError('MODEL_UNSUPPORTED', { provider, detail });
  });
}

export type AskOptions = {
  breakers: ModelBreakers;
  signal: AbortSignal;
  /** The model that a budget wants asked in place of the rest of the chain: `provider/model`. */
  downgrade: (name: string) => Candidate;
};

/**
 * Asks the models in their order until one answers. One that cannot do what is asked, is not set up, or whose breaker is open is
 * passed over. `ask` says by `begun()` that its answer has begun to be seen: from then on nobody else is asked.
 */
export async function askChain<Result>(
  candidates: readonly Candidate[],
  request: Omit<GenerateRequest, 'model'>,
  { breakers, signal, downgrade }: AskOptions,
  ask: (candidate: Candidate, begun: () => void) => Promise<Result>,
): Promise<{ result: Result; candidate: Candidate; skipped: SkippedModel[] }> {
  const failures: { candidate: Candidate; error: AppError }[] = [];
  const queue = [...candidates];
  for (let candidate = queue.shift(); candidate !== undefined; candidate = queue.shift()) {
    const obstacle = obstacleOf(candidate, request, breakers);
    if (obstacle) {
      failures.push({ candidate, error: obstacle });
      continue;
    }
    let hasBegun = false;
    breakers.begun(candidate);
    try {
      const result = await ask(candidate, () => (hasBegun = true));
      breakers.ended(candidate, 'ok');
      return { result, candidate, skipped: failures.map(skippedOf) };
    } catch (error) {
      breakers.ended(candidate, signal.aborted || !isOfModel(error) ? 'aborted' : error);
      signal.throwIfAborted();
      const isRefused = error instanceof AppError && OF_GUARDS.has(error.code);
      if (!(isRefused || isOfModel(error)) || hasBegun || !mayFallBack(error)) throw error;
      const { to } = error.fields;
      if (typeof to === 'string') {
        // Two budgets may send a call to each other's models.
        if (failures.some((one) => one.error.fields['to'] === to)) throw error;
        queue.splice(0, Infinity, downgrade(to));
      }
      failures.push({ candidate, error });
    }
  }
  throw worstOf(failures);
}

function obstacleOf(
  { language, provider, model }: Candidate,
  request: Omit<GenerateRequest, 'model'>,
  breakers: ModelBreakers,
): AppError | null {
  if (language.missing !== null) return new AppError('MODEL_UNSUPPORTED', { provider, detail: language.missing });
  const can = language.capabilities(model);
  const [missing] = missingCapabilities(can, request);
  // Whoever condenses says better than a list what it lacks.
  if (missing !== undefined && can.generate) {
    return new AppError('MODEL_UNSUPPORTED', { provider, detail: `model ${model} has no ${missing}` });
  }
  const retryAfterMs = breakers.waitOf({ provider, model });
  if (retryAfterMs === 0) return null;
  const detail = `${model} has failed too often or asked to wait, and is left alone for ${Math.ceil(retryAfterMs / 1000)} s`;
  return new AppError('MODEL_UNAVAILABLE', { provider, detail, retryAfterMs, httpStatus: 503 });
}

/** Of guards that do not let this model be asked, but another. */
const OF_GUARDS: ReadonlySet<ErrorCode> = new Set(['MODEL_DOWNGRADED', 'MODEL_PRICE_UNKNOWN']);

/** Others are of guards that did not let the call be made. */
export const isOfModel = (error: unknown): error is AppError =>
  error instanceof AppError && error.code.startsWith('MODEL_') && !OF_GUARDS.has(error.code);

const mayFallBack = ({ code, fields }: AppError): boolean =>
  !FINAL.has(code) && (code !== 'MODEL_BAD_REQUEST' || fields['httpStatus'] === NOT_FOUND);

const skippedOf = ({
  candidate: { provider, model },
  error,
}: {
  candidate: Candidate;
  error: AppError;
}): SkippedModel => ({
  provider,
  model,
  code: error.code,
  detail: String(error.fields['detail'] ?? error.message),
});

/** The first that may be better later, to be tried again when the first of all is ready; else the first. */
function worstOf(failures: { candidate: Candidate; error: AppError }[]): AppError {
  const [first] = failures;
  if (first === undefined) return new AppError('CONFIG_INVALID', { detail: 'the chain of models is empty' });
  if (failures.length === 1) return first.error;
  const passing = failures.filter(({ error }) => error.retryable);
  const { error } = passing[0] ?? first;
  const waits = passing.map((one) => Number(one.error.fields['retryAfterMs'] ?? 0)).filter((wait) => wait > 0);
  const tried = failures.map(skippedOf).map(({ provider, model, code }) => `${provider}/${model}: ${code}`);
  const fields = {
    ...error.fields,
    tried,
    ...(waits.length === passing.length && waits.length > 0 ? { retryAfterMs: Math.min(...waits) } : {}),
  };
  return new AppError(error.code, fields, error);
}
