import { listModels, type ModelsDeps, testModel } from './model-operations.ts';

export function modelsResolvers(deps: ModelsDeps) {
  return {
    Query: { models: () => listModels(deps) },
    Mutation: {
      testModel: (_: unknown, input: { provider: string; model?: string | null }) => testModel(deps, input),
    },
  };
}
