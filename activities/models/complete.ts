import type { LanguageModels } from '../../adapters/models/language-models.ts';
import { AppError } from '../../domain/errors.ts';
import type { Completion, CompletionInput } from '../../domain/models/activities.ts';
import type { CompletionRequest } from '../../domain/models/language-model.ts';
import type { JsonObject } from '../../domain/json.ts';
import { renderTemplate } from '../../domain/runs/template.ts';
import type { EffectLedger } from '../../domain/tools/effect-ledger.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';
import { withEffect } from '../with-effect.ts';

export type CompleteDependencies = {
  models: LanguageModels;
  /** For nodes that name no provider. */
  defaultProvider: string;
  effects: EffectLedger;
};

export function complete({ models, defaultProvider, effects }: CompleteDependencies) {
  return (input: CompletionInput): Promise<Completion> =>
    heartbeatWhile(async (signal) => {
      const provider = input.provider ?? defaultProvider;
      const model = models.get(provider);
      if (!model) {
        const detail = `there is no such provider; known are ${[...models.keys()].join(', ')}`;
        throw new AppError('MODEL_UNSUPPORTED', { provider, detail });
      }
      const request = requestOf(input);
      if (model.local) return { provider, ...(await model.complete(request, signal)) };
      return withEffect(effects, {
        asked: { provider, ...request },
        request: { provider, ...sizesOf(request) },
        onUnknown: 'retry',
        send: async (idempotencyKey) => ({
          provider,
          ...(await model.complete({ ...request, idempotencyKey }, signal)),
        }),
      });
    });
}

function sizesOf({ prompt, system, source, model, maxOutputTokens, temperature }: CompletionRequest): JsonObject {
  return {
    model: model ?? null,
    maxOutputTokens: maxOutputTokens ?? null,
    temperature: temperature ?? null,
    characters: prompt.length + (system?.length ?? 0) + (source?.length ?? 0),
  };
}

function requestOf({ prompt, system, values = {}, source, model, maxOutputTokens, temperature }: CompletionInput) {
  return {
    prompt: renderTemplate(prompt, values),
    ...(system === undefined ? {} : { system: renderTemplate(system, values) }),
    ...(source === undefined ? {} : { source }),
    ...(model === undefined ? {} : { model }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature }),
  } satisfies CompletionRequest;
}
