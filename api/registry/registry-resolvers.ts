import { listInstances } from '../../adapters/registry/subgraph-instances.ts';
import {
  listSupergraphs,
  type PublishedSubgraph,
  readSubgraphSdl,
  readSupergraph,
  type SupergraphVersion,
} from '../../adapters/registry/supergraph-store.ts';
import { pageSize } from '../graphql/connection.ts';
import type { RunsContext } from '../runs/resolvers.ts';
import type { RegistryDeps } from './deps.ts';
import { judgeSchema, releasedSupergraph, type SchemaInput } from './judge-schema.ts';
import { type PublishInput, publishSchema, rollBackSchema } from './publish-schema.ts';

type Page = { first: number; before?: number | null };
type Rollback = { version: number; note?: string | null };

export function registryResolvers(deps: RegistryDeps) {
  const { pool } = deps;
  return {
    Query: {
      checkSchema: async (_: unknown, { input }: { input: SchemaInput }) => {
        const judgement = await judgeSchema(deps, input);
        const { problems, changes, brokenOperations } = judgement;
        const breaks = changes.some(({ severity }) => severity === 'BREAKING') || brokenOperations.length > 0;
        return { ...judgement, composes: problems.length === 0, breaks };
      },
      supergraphVersions: (_: unknown, { first, before }: Page) =>
        listSupergraphs(pool, pageSize(first, 20, 100), before ?? undefined),
      supergraphVersion: async (_: unknown, { version }: { version?: number | null }) =>
        (await readSupergraph(pool, version ?? undefined)) ?? (version == null ? releasedSupergraph(deps) : null),
      subgraphs: () => listInstances(pool),
    },
    Mutation: {
      publishSchema: (_: unknown, { input }: { input: PublishInput }, { principal }: RunsContext) =>
        publishSchema(deps, principal, input),
      rollBackSchema: (_: unknown, rollback: Rollback, { principal }: RunsContext) =>
        rollBackSchema(deps, principal, rollback),
    },
    types: {
      SupergraphVersion: {
        supergraphSdl: async (version: SupergraphVersion & { supergraphSdl?: string }) =>
          version.supergraphSdl ?? (await readSupergraph(pool, version.version))?.supergraphSdl,
      },
      PublishedSubgraph: {
        sdl: ({ name, hash, sdl }: PublishedSubgraph & { sdl?: string }) => sdl ?? readSubgraphSdl(pool, name, hash),
      },
      SupergraphChange: { SEED: 'seed', PUBLISH: 'publish', ROLLBACK: 'rollback' },
      SubgraphHealth: { HEALTHY: 'healthy', UNHEALTHY: 'unhealthy', DRAINING: 'draining' },
    },
  };
}
