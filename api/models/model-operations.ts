import { type ModelHealth, readModelHealth } from '../../adapters/postgres/model-health.ts';
import { AppError } from '../../domain/errors.ts';
import type { ModelCapabilities } from '../../domain/models/capabilities.ts';
import { textOf } from '../../domain/models/message.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from '../runs/deps.ts';
import type { ModelCatalogue } from './model-catalogue.ts';
import type { WatchDeps } from './watch-tokens.ts';

/** The health of models is no tenant's, so it is read past the tenants' policies. */
export type ModelsDeps = {
  systemPool: RunsDeps['pool'];
  catalogue: ModelCatalogue;
  watchDepsOf: (principal: Principal) => WatchDeps;
};

export type ModelProviderView = {
  name: string;
  isLocal: boolean;
  isReady: boolean;
  missing: string | null;
  isDefault: boolean;
  isEmbeddingDefault: boolean;
  defaultModel: string;
  embeddingModel: string | null;
  capabilities: ModelCapabilities;
  health: ModelHealth[];
};
export type ModelTest = {
  provider: string;
  model: string;
  text: string | null;
  durationMs: number;
  inputTokens: number | null;
  outputTokens: number | null;
  error: { code: string; message: string; hint: string | null } | null;
};

const TEST_MS = 20_000;

export async function listModels({ systemPool, catalogue }: ModelsDeps): Promise<ModelProviderView[]> {
  const health = await readModelHealth(systemPool);
  return [...catalogue.models.values()].map(({ provider, local = false, missing, defaults, capabilities }) => ({
    name: provider,
    isLocal: local,
    isReady: missing === null,
    missing,
    isDefault: provider === catalogue.defaultProvider,
    isEmbeddingDefault: provider === catalogue.defaultEmbeddingProvider,
    defaultModel: defaults.model,
    embeddingModel: defaults.embeddingModel,
    capabilities: capabilities(defaults.model),
    health: health.filter((one) => one.provider === provider),
  }));
}

/** @throws NOT_FOUND for an unknown provider */
export async function testModel(
  { catalogue }: Pick<ModelsDeps, 'catalogue'>,
  { provider, model: named }: { provider: string; model?: string | null },
): Promise<ModelTest> {
  const language = catalogue.models.get(provider);
  if (!language) throw new AppError('NOT_FOUND', { what: 'model provider', id: provider });
  const model = named ?? language.defaults.model;
  const began = performance.now();
  const view = (rest: Partial<ModelTest>): ModelTest => ({
    ...{ provider, model, text: null, inputTokens: null, outputTokens: null, error: null },
    ...rest,
    durationMs: Math.round(performance.now() - began),
  });
  const signal = AbortSignal.timeout(TEST_MS);
  try {
    if (language.capabilities(model).embed) {
      const { usage, embeddings } = await language.embed({ model, texts: ['Say ok.'] }, signal);
      const text = `${embeddings[0]?.length ?? 0} dimensions`;
      return view({ text, inputTokens: usage?.inputTokens ?? null, outputTokens: usage?.outputTokens ?? null });
    }
    const messages = [{ role: 'user' as const, content: 'Answer with the one word: ok' }];
    const answer = await language.generate({ model, messages, maxOutputTokens: 64 }, signal);
    const { usage } = answer;
    return view({
      model: answer.model,
      text: textOf(answer.content),
      inputTokens: usage?.inputTokens ?? null,
      outputTokens: usage?.outputTokens ?? null,
    });
  } catch (error) {
    const known =
      error instanceof AppError
        ? error
        : new AppError(
            'MODEL_UNAVAILABLE',
            { provider, detail: `it did not answer within ${TEST_MS / 1000} s` },
            error,
          );
    return view({ error: { code: known.code, message: known.message, hint: known.hint ?? null } });
  }
}
