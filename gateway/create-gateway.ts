import { ApolloGateway } from '@apollo/gateway';
import { OperationTypeNode } from 'graphql';
import type { Logger } from 'pino';
import { Pool } from 'undici';
import type { Settings } from '../config/settings.ts';
import type { Caller } from './access-policies.ts';
import type { CacheScopes, EntityCache } from './cache/entity-cache.ts';
import { createFederation } from './execute/federation.ts';
import type { Keeping } from './execute/kept-entities.ts';
import { createPlanGateway, type GatewayInterface } from './execute/plan-gateway.ts';
import type { PlanCache } from './execute/plan-cache.ts';
import type { SubgraphSource, SubgraphSources } from './execute/subgraph-answer.ts';
import type { Limits } from './limits/limits.ts';
import type { Graph } from './graph.ts';
import { createSubgraphGuards, type ResilienceSettings } from './resilience/subgraph-guards.ts';
import type { SubgraphMetrics } from './subgraph-metrics.ts';
import { guardStock } from './guard-stock.ts';
import { asDataSource, createSubgraphSource, type SubgraphContext } from './subgraph-source.ts';

type GatewaySettings = ResilienceSettings & Pick<Settings, 'WEFT_GATEWAY_EXECUTOR' | 'WEFT_GATEWAY_SHARE_FETCHES'>;
export type GatewayParts = {
  settings: GatewaySettings;
  log: Logger;
  metrics: SubgraphMetrics;
  graph: Graph;
  /** Where entities are kept. */
  entities: EntityCache | null;
  limits: Limits;
};
export type CreatedGateway = {
  gateway: GatewayInterface;
  /** What runs operations whose answers come in parts; the stock executor has none. */
  own: {
    plans: () => PlanCache;
    sources: () => SubgraphSources<SubgraphContext>;
    onSwap: (swapped: () => void) => () => void;
    keepingFor: (caller: Caller | undefined, operation: OperationTypeNode) => Keeping | undefined;
  } | null;
  close: () => Promise<void>;
};

const SOCKETS_PER_SUBGRAPH = 64;

/** The gateway for Apollo Server, with the executor that the settings choose. */
export function createGateway(parts: GatewayParts): CreatedGateway {
  const pools: Pool[] = [];
  const sourceOf = (name: string) => openSource(name, parts, pools);
  const close = async () => void (await Promise.all(pools.map((pool) => pool.close())));
  if (parts.settings.WEFT_GATEWAY_EXECUTOR === 'stock')
    return { gateway: guardStock(stockGateway(parts, sourceOf), parts.graph.rules), own: null, close };
  const federation = createFederation({ sdl: parts.graph.plannedSdl, rules: parts.graph.rules });
  const sources = new Map(federation.subgraphs.map((name) => [name, sourceOf(name)]));
  const keepingFor = keepingIn(parts.entities);
  const gateway = createPlanGateway(federation, sources, { keepingFor, limits: parts.limits, tellsNulls: true });
  const onSwap = (swapped: () => void) => gateway.onSchemaLoadOrUpdate(swapped);
  return { gateway, own: { plans: gateway.plans, sources: () => sources, onSwap, keepingFor }, close };
}

/** Where nobody has to sign in everybody is one and the same. */
const EVERYBODY: CacheScopes = { tenantId: 'default', shared: '', own: '' };

function keepingIn(entities: EntityCache | null) {
  return (caller: Caller | undefined, operation: OperationTypeNode): Keeping | undefined => {
    const scopes = caller === undefined ? EVERYBODY : caller.scopes;
    // What a mutation has changed is read with its answer, before any event tells of it.
    if (entities === null || scopes === undefined || operation === OperationTypeNode.MUTATION) return undefined;
    return { entities, scopes };
  };
}

function stockGateway(
  { graph, log }: GatewayParts,
  sourceOf: (name: string) => SubgraphSource<SubgraphContext>,
): GatewayInterface {
  // Read by ApolloGateway's constructor; without it the planner reports to its vendor.
  process.env['APOLLO_TELEMETRY_DISABLED'] = '1';
  return new ApolloGateway({
    supergraphSdl: graph.plannedSdl,
    logger: log,
    __exposeQueryPlanExperimental: false,
    buildService: ({ name }) => asDataSource(sourceOf(name)),
  });
}

function openSource(
  name: string,
  { graph, settings, metrics, log }: GatewayParts,
  pools: Pool[],
): SubgraphSource<SubgraphContext> {
  const url = graph.addressOf(name);
  const pool = new Pool(url.origin, { connections: SOCKETS_PER_SUBGRAPH, keepAliveTimeout: 30_000 });
  pools.push(pool);
  const durations = new Map<string, { observe: (seconds: number) => void }>();
  const durationOf = (outcome: 'answered' | 'unavailable' | 'shared') => {
    const known = durations.get(outcome) ?? metrics.durations.labels({ subgraph: name, outcome });
    durations.set(outcome, known);
    return known;
  };
  return createSubgraphSource({
    name,
    url,
    pool,
    guards: createSubgraphGuards(name, settings, metrics, log),
    shares: settings.WEFT_GATEWAY_SHARE_FETCHES,
    observe(outcome, seconds, cause) {
      durationOf(outcome).observe(seconds);
      if (cause) metrics.refused.inc({ subgraph: name, reason: cause.reason });
      if (cause) log.warn({ err: cause, subgraph: name, url: url.href }, 'subgraph did not answer');
    },
  });
}
