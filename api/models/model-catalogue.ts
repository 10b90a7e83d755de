import { createLanguageModels, type LanguageModels } from '../../adapters/models/language-models.ts';
import {
  defaultEmbeddingProvider,
  defaultModelProvider,
  type ModelSettings,
  providerOptions,
} from '../../adapters/models/provider-options.ts';
import { AppError } from '../../domain/errors.ts';

/** The providers as this process sees them; the workers that call them are set up by the same settings. */
export type ModelCatalogue = { models: LanguageModels; defaultProvider: string; defaultEmbeddingProvider: string };

/** @throws CONFIG_INVALID for a models file that cannot be read */
export function openModelCatalogue(settings: ModelSettings): ModelCatalogue {
  const elsewhere = () =>
    Promise.reject(
      new AppError('MODEL_UNSUPPORTED', { provider: 'offline-extractive', detail: 'it runs in workers alone' }),
    );
  const models = createLanguageModels(providerOptions(settings, elsewhere));
  return {
    models,
    defaultProvider: defaultModelProvider(settings, models),
    defaultEmbeddingProvider: defaultEmbeddingProvider(settings, models),
  };
}
