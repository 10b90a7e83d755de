import type { TenantId } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import type { Prompt } from '../../domain/models/prompt.ts';
import type { RunsDeps } from '../runs/deps.ts';
import type { RunsContext } from '../runs/resolvers.ts';
import {
  diffPrompt,
  promptOf,
  type PromptInput,
  promptsOf,
  type PromptVersion,
  promptVersions,
  publishPrompt,
  tryPrompt,
} from './prompts.ts';

type Diff = { name: string; from: number; to?: number | null };

/** `poolOf` gives the database as the caller's tenant sees it. */
export function promptsResolvers(poolOf: (tenantId: TenantId) => RunsDeps['pool']) {
  const depsOf = ({ tenantId }: { tenantId: TenantId }) => ({ pool: poolOf(tenantId) });
  return {
    Query: {
      prompts: (_: unknown, __: unknown, { principal }: RunsContext) => promptsOf(depsOf(principal), principal),
      prompt: (_: unknown, of: PromptVersion, { principal }: RunsContext) => promptOf(depsOf(principal), principal, of),
      promptDiff: (_: unknown, of: Diff, { principal }: RunsContext) => diffPrompt(depsOf(principal), principal, of),
      renderPrompt: (_: unknown, of: PromptVersion & { variables: Json }, { principal }: RunsContext) =>
        tryPrompt(depsOf(principal), principal, of),
    },
    Mutation: {
      publishPrompt: (_: unknown, { input }: { input: PromptInput }, { principal }: RunsContext) =>
        publishPrompt(depsOf(principal), principal, input),
    },
    types: {
      Prompt: {
        versions: ({ name }: Prompt, { first }: { first: number }, { principal }: RunsContext) =>
          promptVersions(depsOf(principal), principal, name, first),
      },
    },
  };
}
