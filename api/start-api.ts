import { AsyncLocalStorage } from 'node:async_hooks';
import type { Server } from 'node:http';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { expressMiddleware } from '@as-integrations/express5';
import express, { type Express } from 'express';
import type { GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import { openRunChanges } from '../adapters/postgres/run-changes.ts';
import { createHintBatcher } from '../adapters/postgres/run-hints.ts';
import { declarePermissions } from '../adapters/graphql/declare-permissions.ts';
import { answerHttpErrors, createHttpApp } from '../adapters/express/http-app.ts';
import { createBoundedServer } from '../adapters/express/bounded-server.ts';
import { createHttpMetrics } from '../adapters/express/http-metrics.ts';
import { listen } from '../adapters/express/listen.ts';
import { registerQueueGauges } from '../adapters/prometheus/queue-gauges.ts';
import type { RequestTrace } from '../adapters/express/request-trace.ts';
import type { Settings } from '../config/settings.ts';
import { definitionHash, tenantId as asTenantId } from '../domain/identifiers.ts';
import { checkTemporal } from '../temporal/check-temporal.ts';
import type { connectTemporal } from '../temporal/client.ts';
import { loadPools } from '../temporal/load-pools.ts';
import { createQueueWatch } from '../temporal/queue-watch.ts';
import { createReplayer } from '../temporal/replay/create-replayer.ts';
import { createSecretBox } from '../temporal/secret-box.ts';
import { readDefinitionByHash } from '../adapters/postgres/definition-store.ts';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createRemoteCodec } from '../temporal/remote-codec.ts';
import type { FirstAdmin } from './access/first-admin.ts';
import { enforcePermissions } from './access/enforce-permissions.ts';
import { accessResolvers } from './access/access-resolvers.ts';
import { accessRoutes } from './access/access-routes.ts';
import { type Access, openAccess } from './access/open-access.ts';
import type { Principal } from './access/principal.ts';
import { principalIn, signedIn } from './access/signed-in.ts';
import { codecRoutes } from './codec/codec-routes.ts';
import { mountEvents } from './events/mount-events.ts';
import { documentsResolvers } from './documents/documents-resolvers.ts';
import { documentsRoute } from './documents/documents-route.ts';
import { readSchema } from './graphql/read-schema.ts';
import { openSubscriptionSockets } from './graphql/subscription-sockets.ts';
import { formatError } from './graphql/format-error.ts';
import { aboutService, mountHealth } from './http/health.ts';
import { protectAnswers } from './http/protect-answers.ts';
import { deadlineIn, requestDeadline } from './http/request-deadline.ts';
import { type Checks, type Readiness, readiness } from './http/readiness.ts';
import { refuseOtherUpgrades } from './http/refuse-upgrades.ts';
import { swaggerUi } from './http/swagger-ui.ts';
import { mountMcp } from './mcp/mount-mcp.ts';
import { mountRest } from './rest/mount-rest.ts';
import { budgetsResolvers } from './models/budgets-resolvers.ts';
import { openModelCatalogue } from './models/model-catalogue.ts';
import type { ModelsDeps } from './models/model-operations.ts';
import { agentsResolvers } from './agents/agents-resolvers.ts';
import { modelsResolvers } from './models/models-resolvers.ts';
import { promptsResolvers } from './models/prompts-resolvers.ts';
import { mountTokenStreams } from './models/mount-token-streams.ts';
import { announceSubgraph } from './registry/announce-subgraph.ts';
import type { RegistryDeps } from './registry/deps.ts';
import { registryResolvers } from './registry/registry-resolvers.ts';
import { openTools, type ToolsDeps } from './tools/open-tools.ts';
import { toolsResolvers } from './tools/tools-resolvers.ts';
import { startBatchRunner } from './runs/batch-runner.ts';
import type { RunsDeps } from './runs/deps.ts';
import { eraseTenantValues } from './runs/erase-operations.ts';
import { createInputValidators } from './runs/input-validators.ts';
import { createLoaders } from './runs/loaders.ts';
import { runsResolvers, type RunsContext } from './runs/resolvers.ts';
import { startTriggerDispatcher } from './runs/dispatch-triggers.ts';
import { tenantActs } from './runs/tenant-acts.ts';
import { createTenantDeps, tenantResolvers, type TenantDeps } from './runs/tenant-deps.ts';
import { HOOKS_PATH, mountWebhooks } from './runs/webhooks-routes.ts';

export type ApiParts = {
  settings: Settings;
  log: Logger;
  pool: RunsDeps['pool'];
  connection: Awaited<ReturnType<typeof connectTemporal>>;
  temporal: RunsDeps['temporal'];
  temporalOf?: RunsDeps['temporalOf'];
};
export type RunningApi = {
  port: number;
  /** Made where there was nobody yet. */
  firstAdmin: FirstAdmin | null;
  stop: () => Promise<void>;
};
type Traces = AsyncLocalStorage<RequestTrace>;

const GRAPHQL_PATH = '/graphql';
const CODEC_PATH = '/codec';
const CODEC_ANSWER_BYTES = 32 * 1024 * 1024;
const BASE64 = 4 / 3;

/** Room for the query and the other variables beside the largest payload. */
const BODY_OVERHEAD_BYTES = 4 * 1024 * 1024;
const UPGRADES = [/^\/graphql$/, /^\/events\/socket$/, /^\/runs\/[^/]+\/nodes\/[^/]+\/socket$/];
/** Longer than clients keep idle sockets, so that it is they who close them. */
const KEEP_ALIVE_MS = 65_000;

/** The doors of the runs room. What is in `parts` stays the caller's to close. */
export async function startApi(parts: ApiParts): Promise<RunningApi> {
  const { settings, log, pool } = parts;
  const traces: Traces = new AsyncLocalStorage();
  const hints = createHintBatcher(pool, { onError: (error) => log.warn({ err: error }, 'hints were lost') });
  const pools = loadPools(settings);
  const secrets = createSecretBox(settings.WEFT_SECRET_KEY);
  const access = openAccess({ settings, pool, secrets, log });
  const runChanges = hearChanges(settings, log);
  const wakeBatches = () => batches.wake();
  const deps = runsDeps(parts, traces, { hint: hints.hint, pools, runChanges, secrets, wakeBatches });
  const tenants = createTenantDeps(deps, settings);
  const metrics = createHttpMetrics();
  registerQueueGauges(metrics.registry, () => Promise.all(pools.map(({ queue }) => deps.queues.read(queue))));
  const batches = startBatchRunner({ pool, acts: tenantActs(deps, tenants), rate: settings.WEFT_BATCH_RATE, log });
  const state = openReadiness(parts);
  const app = createApp(parts, traces, metrics, state);
  const server = serverOf(settings, app);
  const streams = mountTokenStreams(app, server, { deps, tenants, access, settings, log });
  const models = { systemPool: pool, catalogue: openModelCatalogue(settings), watchDepsOf: streams.depsOf };
  const tools = openTools(settings);
  const registry = { pool, own: ownSubgraph() };
  const schema = subgraphSchema(deps, tenants, access, { models, tools, registry });
  const apollo = createApollo(schema, log, traces, server);
  await apollo.start();

  const bodyLimit = settings.WEFT_PAYLOAD_MAX_BYTES + BODY_OVERHEAD_BYTES;
  const contextOf = contextsOf(tenants);
  const context = async ({ res }: Answering) => ({ ...contextOf(principalIn(res)), deadline: deadlineIn(res) });
  const subscriptions = openSubscriptions(schema, access, contextOf, log);
  subscriptions.attach(server);
  const events = mountEvents(app, server, { pool, tenants, access, log });
  refuseOtherUpgrades(server, UPGRADES);
  const logInternal = (error: unknown) => log.error({ err: error }, 'a request failed');
  mountWebhooks(app, deps, { maxBytes: settings.WEFT_WEBHOOK_MAX_BYTES, logInternal });
  app.use(accessRoutes(access, logInternal), documentsRoute({ access, pool, logInternal }));
  app.use(
    GRAPHQL_PATH,
    requestDeadline,
    signedIn(access.behindGateway),
    express.json({ limit: bodyLimit }),
    expressMiddleware(apollo, { context }),
  );
  mountCodec(app, parts, bodyLimit);
  const mcp = mountMcp(app, { schema, access, tenants, contextOf, bodyLimit, logInternal });
  mountRest(app, { schema, access, contextOf, depsOf: tenants.of, bodyLimit, logInternal });
  app.use(answerHttpErrors(log, bodyLimit));
  const firstAdmin = await access.firstAdmin();
  const port = await listen(server, settings.WEFT_HOST, settings.PORT);
  const dispatcher = startTriggerDispatcher(deps, {
    databaseUrl: String(settings.DATABASE_URL),
    onError: (error, step) => log.warn({ err: error, step }, 'a step of the trigger dispatcher failed'),
  });
  const healthy = async () => (await readiness(state.checks)).ready;
  const about = { settings, port, path: GRAPHQL_PATH, tokens: access.internal, log, healthy };
  const announcement = announceSubgraph({ ...registry, ...about });
  return {
    port,
    firstAdmin,
    async stop() {
      state.drain();
      await announcement.close(settings.WEFT_DRAIN_MS);
      await subscriptions.close();
      await streams.close();
      await mcp.close();
      await events.close();
      await apollo.stop();
      await dispatcher.stop();
      await batches.stop();
      await runChanges.close();
      await hints.close();
      await tools.close();
      await tenants.close();
      await access.close();
    },
  };
}

function hearChanges({ DATABASE_URL }: Settings, log: Logger): ReturnType<typeof openRunChanges> {
  return openRunChanges(String(DATABASE_URL), (error) =>
    log.warn({ err: error }, 'the connection that hears of changed runs was lost'),
  );
}

type ReadinessState = { checks: Checks; read: () => Promise<Readiness>; drain: () => void };

/** Not ready any more from `drain` on, though everything still answers. */
function openReadiness({ pool, connection }: ApiParts): ReadinessState {
  const checks = { postgres: () => pool.query('SELECT 1'), temporal: () => checkTemporal(connection) };
  let draining = false;
  return {
    checks,
    async read() {
      const state = await readiness(checks);
      return draining ? { ...state, ready: false } : state;
    },
    drain: () => {
      draining = true;
    },
  };
}

const contextsOf =
  (tenants: TenantDeps) =>
  (principal: Principal): RunsContext => ({
    principal,
    loaders: createLoaders(tenants.of(principal), principal),
  });

type Answering = { res: express.Response };

function serverOf(
  { WEFT_HTTP_HEADERS_MS: headersMs, WEFT_HTTP_REQUEST_MS: requestMs }: Settings,
  app: Express,
): Server {
  return createBoundedServer({ headersMs, requestMs, keepAliveMs: KEEP_ALIVE_MS }, app);
}

function createApp(
  { settings, log, pool }: ApiParts,
  traces: Traces,
  metrics: ReturnType<typeof createHttpMetrics>,
  { checks, read }: ReadinessState,
): Express {
  const app = createHttpApp({
    log,
    metrics,
    traces,
    readiness: read,
    about: () => aboutService(settings),
    notable: [GRAPHQL_PATH],
    routeOf: (path) => (path.startsWith(`${HOOKS_PATH}/`) ? HOOKS_PATH : path),
  });
  protectAnswers(app, settings.WEFT_CORS_ORIGINS);
  mountHealth(app, { checks, pool, settings });
  app.use(swaggerUi());
  return app;
}

type OwnDeps = Pick<RunsDeps, 'hint' | 'pools' | 'runChanges' | 'secrets' | 'wakeBatches'>;

function runsDeps(parts: ApiParts, traces: Traces, own: OwnDeps): RunsDeps {
  const { settings, log, pool, connection, temporal } = parts;
  return {
    pool,
    temporal,
    ...(parts.temporalOf === undefined ? {} : { temporalOf: parts.temporalOf }),
    settings,
    traceparent: () => traces.getStore()?.traceparent ?? null,
    correlationId: () => traces.getStore()?.correlationId ?? null,
    log: { info: (fields, message) => log.info({ ...fields, traceId: traces.getStore()?.traceId }, message) },
    validators: createInputValidators(),
    queues: createQueueWatch(connection, settings.TEMPORAL_NAMESPACE),
    replay: createReplayer(settings, createPayloadStore(pool), {
      definitions: async (hash) => (await readDefinitionByHash(pool, definitionHash(hash)))?.definition,
      links: settings,
    }),
    ...own,
  };
}

function openSubscriptions(
  schema: GraphQLSchema,
  access: Access,
  contextOf: (principal: Principal) => RunsContext,
  log: Logger,
): ReturnType<typeof openSubscriptionSockets> {
  return openSubscriptionSockets({
    path: GRAPHQL_PATH,
    schema,
    principalFrom: access.behindGateway,
    contextOf,
    formatError: (formatted, error) =>
      formatError(formatted, error, undefined, (cause) => log.error({ err: cause }, 'a subscription failed')),
  });
}

/** By which Temporal Web UI and CLI show what is encrypted or stands elsewhere. */
function mountCodec(app: Express, { settings, pool, log }: ApiParts, bodyLimit: number): void {
  if (settings.WEFT_CODEC === null || settings.WEFT_CODEC === 'off') return;
  app.use(
    CODEC_PATH,
    codecRoutes({
      settings,
      codec: createRemoteCodec(settings, createPayloadStore(pool), CODEC_ANSWER_BYTES),
      bodyLimit: Math.ceil(bodyLimit * BASE64),
      log,
    }),
  );
}

function ownSubgraph(): RegistryDeps['own'] {
  return { name: 'runs', document: declarePermissions(readSchema(new URL('runs/schema/', import.meta.url))) };
}

type OtherRooms = { models: ModelsDeps; tools: ToolsDeps; registry: RegistryDeps };

function subgraphSchema(deps: RunsDeps, tenants: TenantDeps, access: Access, rooms: OtherRooms): GraphQLSchema {
  const { Query, Mutation, Subscription, ...runs } = tenantResolvers(deps, tenants, runsResolvers);
  const own = accessResolvers(access.deps, (inside) => eraseTenantValues(tenants.of(inside), inside, inside.tenantId));
  const models = modelsResolvers(rooms.models);
  const poolOf = (tenantId: string) => tenants.of({ tenantId: asTenantId(tenantId) }).pool;
  const tools = toolsResolvers(rooms.tools, poolOf);
  const budgets = budgetsResolvers(poolOf);
  const documents = documentsResolvers(poolOf);
  const agents = agentsResolvers(tenants, rooms.models.watchDepsOf);
  const prompts = promptsResolvers(poolOf);
  const registry = registryResolvers(rooms.registry);
  const typeDefs = rooms.registry.own.document;
  const resolvers = {
    ...{ ...runs, ...own.types, ...tools.types, ...budgets.types },
    ...{ ...documents.types, ...prompts.types, ...registry.types },
    Query: {
      ...{ ...Query, ...own.Query, ...models.Query, ...tools.Query, ...prompts.Query },
      ...{ ...budgets.Query, ...documents.Query, ...agents.Query, ...registry.Query },
    },
    Mutation: {
      ...{ ...Mutation, ...own.Mutation, ...models.Mutation, ...tools.Mutation },
      ...{ ...budgets.Mutation, ...documents.Mutation, ...agents.Mutation, ...prompts.Mutation },
      ...registry.Mutation,
    },
    Subscription: { ...Subscription, ...models.Subscription, ...agents.Subscription },
  };
  return enforcePermissions(buildSubgraphSchema([{ typeDefs, resolvers }]), access.watch);
}

function createApollo(schema: GraphQLSchema, log: Logger, traces: Traces, server: Server): ApolloServer<RunsContext> {
  return new ApolloServer<RunsContext>({
    schema,
    logger: log,
    introspection: true,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    formatError(formatted, error) {
      const traceId = traces.getStore()?.traceId;
      return formatError(formatted, error, traceId, (cause) => log.error({ err: cause, traceId }, 'request failed'));
    },
    plugins: [
      ApolloServerPluginDrainHttpServer({ httpServer: server, stopGracePeriodMillis: 5000 }),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
    ],
  });
}
