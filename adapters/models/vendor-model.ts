import { AppError } from '../../domain/errors.ts';
import type {
  EmbedRequest,
  EmbedResult,
  GenerateRequest,
  GenerateResult,
  StreamPart,
} from '../../domain/models/generation.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import { unsupported } from './model-error.ts';

/** A provider as its file writes it: calls that throw what the SDK throws, and how that is to be read. */
export type Vendor = Omit<LanguageModel<AbortSignal>, 'generate' | 'stream' | 'embed'> & {
  generate: (request: GenerateRequest, signal: AbortSignal) => Promise<GenerateResult>;
  stream: (request: GenerateRequest, signal: AbortSignal) => AsyncIterable<StreamPart>;
  embed?: (request: EmbedRequest, signal: AbortSignal) => Promise<EmbedResult>;
  translate: (error: unknown) => AppError;
};

/** Around every provider: refuses what is not set up, keeps cancellation apart from failure, speaks the error table alone. */
export function languageModel(vendor: Vendor): LanguageModel<AbortSignal> {
  const { provider, missing, embed, translate } = vendor;
  const demandReady = () => {
    if (missing !== null) throw unsupported(provider, missing);
  };
  const rethrow = (error: unknown, signal: AbortSignal): never => {
    signal.throwIfAborted();
    throw error instanceof AppError ? error : translate(error);
  };
  return {
    ...vendor,
    async generate(request, signal) {
      demandReady();
      try {
        return await vendor.generate(request, signal);
      } catch (error) {
        return rethrow(error, signal);
      }
    },
    async *stream(request, signal) {
      demandReady();
      const leaving = new AbortController();
      try {
        yield* vendor.stream(request, AbortSignal.any([signal, leaving.signal]));
      } catch (error) {
        rethrow(error, signal);
      } finally {
        leaving.abort();
      }
    },
    async embed(request, signal) {
      demandReady();
      if (embed === undefined) throw unsupported(provider, 'it makes no embeddings');
      try {
        return await embed(request, signal);
      } catch (error) {
        return rethrow(error, signal);
      }
    },
  };
}
