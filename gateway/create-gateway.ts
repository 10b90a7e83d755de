import { ApolloGateway, type SupergraphSdlUpdateFunction } from '@apollo/gateway';
import { OperationTypeNode } from 'graphql';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import type { Caller } from './access-policies.ts';
import type { CacheScopes, EntityCache } from './cache/entity-cache.ts';
import { createFederation, type Federation } from './execute/federation.ts';
import type { Keeping } from './execute/kept-entities.ts';
import { createPlanGateway, type GatewayInterface } from './execute/plan-gateway.ts';
import type { PlanCache } from './execute/plan-cache.ts';
import type { SubgraphSource, SubgraphSources } from './execute/subgraph-answer.ts';
import type { Limits } from './limits/limits.ts';
import type { Graph } from './graph.ts';
import { createSubgraphGuards, type ResilienceSettings } from './resilience/subgraph-guards.ts';
import type { SubgraphMetrics } from './subgraph-metrics.ts';
import { openSubgraphPool, type SubgraphPool } from './subgraph-pool.ts';
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
  /** The subgraphs of what is served. */
  subgraphs: () => readonly string[];
  /** Serves another graph; what is under way ends on the one that it began on. @throws when it cannot be served */
  swap: (next: Graph) => Promise<void>;
  close: () => Promise<void>;
};

/** The gateway for Apollo Server, with the executor that the settings choose. */
export function createGateway(parts: GatewayParts): CreatedGateway {
  const pools: SubgraphPool[] = [];
  const sourceOf = (name: string) => openSource(name, parts, pools);
  const close = async () => void (await Promise.all(pools.map((pool) => pool.close())));
  if (parts.settings.WEFT_GATEWAY_EXECUTOR === 'stock') return { ...stockGateway(parts, sourceOf), own: null, close };
  const sources = new Map<string, SubgraphSource<SubgraphContext>>();
  const federationOf = ({ plannedSdl, rules }: Graph): Federation => {
    const federation = createFederation({ sdl: plannedSdl, rules });
    for (const name of federation.subgraphs) if (!sources.has(name)) sources.set(name, sourceOf(name));
    return federation;
  };
  const keepingFor = keepingIn(parts.entities);
  const limiting = { keepingFor, limits: parts.limits, tellsNulls: true };
  const gateway = createPlanGateway(federationOf(parts.graph), sources, limiting);
  const onSwap = (swapped: () => void) => gateway.onSchemaLoadOrUpdate(swapped);
  return {
    gateway,
    own: { plans: gateway.plans, sources: () => sources, onSwap, keepingFor },
    subgraphs: () => gateway.plans().federation.subgraphs,
    swap: async (next) => gateway.swap(federationOf(next)),
    close,
  };
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
): Pick<CreatedGateway, 'gateway' | 'subgraphs' | 'swap'> {
  let { rules } = graph;
  let update: SupergraphSdlUpdateFunction | undefined;
  const names = new Set<string>();
  // Read by ApolloGateway's constructor; without it the planner reports to its vendor.
  process.env['APOLLO_TELEMETRY_DISABLED'] = '1';
  const stock = new ApolloGateway({
    supergraphSdl: async (options) => {
      ({ update } = options);
      return { supergraphSdl: graph.plannedSdl };
    },
    logger: log,
    __exposeQueryPlanExperimental: false,
    buildService({ name }) {
      names.add(name);
      return asDataSource(sourceOf(name));
    },
  });
  return {
    gateway: guardStock(stock, () => rules),
    subgraphs: () => [...names],
    async swap(next) {
      const before = rules;
      rules = next.rules;
      try {
        update?.(next.plannedSdl);
      } catch (error) {
        rules = before;
        throw error;
      }
    },
  };
}

function openSource(
  name: string,
  { graph, settings, metrics, log }: GatewayParts,
  pools: SubgraphPool[],
): SubgraphSource<SubgraphContext> {
  const pool = openSubgraphPool(() => graph.addressOf(name));
  pools.push(pool);
  const durations = new Map<string, { observe: (seconds: number) => void }>();
  const durationOf = (outcome: 'answered' | 'unavailable' | 'shared') => {
    const known = durations.get(outcome) ?? metrics.durations.labels({ subgraph: name, outcome });
    durations.set(outcome, known);
    return known;
  };
  return createSubgraphSource({
    name,
    target: pool.now,
    guards: createSubgraphGuards(name, settings, metrics, log),
    shares: settings.WEFT_GATEWAY_SHARE_FETCHES,
    observe(outcome, seconds, cause) {
      durationOf(outcome).observe(seconds);
      if (cause) metrics.refused.inc({ subgraph: name, reason: cause.reason });
      if (cause) log.warn({ err: cause, subgraph: name, url: graph.addressOf(name).href }, 'subgraph did not answer');
    },
  });
}
