import type { LanguageModels } from '../../adapters/models/language-models.ts';
import { AppError } from '../../domain/errors.ts';
import type { Completion, CompletionInput } from '../../domain/models/activities.ts';
import type { CompletionRequest } from '../../domain/models/language-model.ts';
import { renderTemplate } from '../../domain/runs/template.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';

export type CompleteDependencies = {
  models: LanguageModels;
  /** For nodes that name no provider. */
  defaultProvider: string;
};

export function complete({ models, defaultProvider }: CompleteDependencies) {
  return (input: CompletionInput): Promise<Completion> =>
    heartbeatWhile(async (signal) => {
      const provider = input.provider ?? defaultProvider;
      const model = models.get(provider);
      if (!model) {
        const detail = `there is no such provider; known are ${[...models.keys()].join(', ')}`;
        throw new AppError('MODEL_UNSUPPORTED', { provider, detail });
      }
      return { provider, ...(await model.complete(requestOf(input), signal)) };
    });
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
