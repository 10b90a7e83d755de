import { Context } from '@temporalio/activity';
import { AppError } from '../../domain/errors.ts';
import type { EmbedInput, Embeddings } from '../../domain/models/activities.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';
import { candidatesOf, isOfModel } from './ask-chain.ts';
import { callId, callPlace, type CompleteDependencies } from './complete.ts';
import { giveWay } from './give-way.ts';
import { guardedCall } from './guarded-call.ts';

const MOST_TEXTS = 2_048;

/** Asking again costs little and changes nothing, so the effect ledger does not keep vectors. */
export function embed({ models, defaultEmbeddingProvider, breakers, guards, prices }: CompleteDependencies) {
  return (input: EmbedInput): Promise<Embeddings> =>
    heartbeatWhile(async (signal) => {
      const texts = typeof input.texts === 'string' ? [input.texts] : input.texts;
      checkTexts(texts);
      const [{ language, provider }] = candidatesOf(models, [
        { provider: input.provider ?? defaultEmbeddingProvider, model: null },
      ]) as [ReturnType<typeof candidatesOf>[number]];
      const model = input.model ?? language.defaults.embeddingModel;
      if (language.missing !== null || model === null) {
        throw new AppError('MODEL_UNSUPPORTED', { provider, detail: language.missing ?? 'it makes no embeddings' });
      }
      const { info, log } = Context.current();
      const place = callPlace(info);
      const request = { model, texts, ...(input.dimensions === undefined ? {} : { dimensions: input.dimensions }) };
      const call = {
        id: callId(info, 1),
        place,
        provider,
        model,
        purpose: 'embed' as const,
        kind: 'embed' as const,
        request,
      };
      try {
        const result = await guardedCall({ guards, log }, call, signal, () => language.embed(request, signal));
        breakers.ended({ provider, model }, 'ok');
        const { embeddings, usage } = result;
        const served = { provider, model: result.model, usage };
        const costMicroUsd = prices.costMicroUsd(served, new Date());
        return { embeddings, dimensions: embeddings[0]?.length ?? 0, ...served, costMicroUsd };
      } catch (error) {
        if (isOfModel(error)) breakers.ended({ provider, model }, error);
        throw giveWay(error, info);
      }
    });
}

function checkTexts(texts: unknown): void {
  const isFine =
    Array.isArray(texts) && texts.length > 0 && texts.every((text) => typeof text === 'string' && text !== '');
  if (!isFine)
    throw new AppError('CONFIG_INVALID', { detail: 'texts must be a text or a list of texts, none of them empty' });
  if (texts.length > MOST_TEXTS)
    throw new AppError('CONFIG_INVALID', { detail: `texts has ${texts.length} items; the limit is ${MOST_TEXTS}` });
}
