import { createAgentActivities, createDiscoveryActivities } from '../activities/agents/agent-activities.ts';
import { createContentActivities } from '../activities/content/content-activities.ts';
import { type BreakerChange, createModelBreakers } from '../activities/models/model-breakers.ts';
import { createModelActivities } from '../activities/models/model-activities.ts';
import { keepBudgets } from '../activities/models/keep-budgets.ts';
import { keepQuotas, knowPrices } from '../activities/models/keep-quotas.ts';
import { recordModelCalls } from '../activities/models/record-model-calls.ts';
import { createRunActivities, type RunDependencies } from '../activities/runs/run-activities.ts';
import { createMcpActivities } from '../activities/tools/mcp-activities.ts';
import { createToolActivities } from '../activities/tools/tool-activities.ts';
import { createHttpClient } from '../adapters/http/http-client.ts';
import { createSchemaCheck } from '../adapters/models/check-schema.ts';
import { createLanguageModels } from '../adapters/models/language-models.ts';
import {
  defaultEmbeddingProvider,
  defaultModelProvider,
  outputLimits,
  providerOptions,
} from '../adapters/models/provider-options.ts';
import { createTextThreads } from '../adapters/text/text-threads.ts';
import type { EventRecorder } from '../domain/events/event-recorder.ts';
import type { CallGuard } from '../domain/models/call-guard.ts';
import type { BudgetLedger } from '../domain/models/budget-ledger.ts';
import type { TokenPublisher } from '../domain/models/token-event.ts';
import type { EffectLedger } from '../domain/tools/effect-ledger.ts';
import type { ToolServers } from '../domain/tools/tool-servers.ts';
import type { Settings } from '../config/settings.ts';
import type { ModelRules } from './model-rules.ts';
import type { Room } from './pools.ts';

/** Threads that read text for both content analysis and offline condensing. */
const TEXT_THREADS = 2;

export type ActivityRooms = Readonly<Record<Room, object>>;

export type ActivityDependencies = {
  effects: EffectLedger;
  events: EventRecorder;
  runs: RunDependencies;
  /** Null: tokens are shown to nobody. */
  tokens: TokenPublisher | null;
  toolServers: ToolServers<AbortSignal>;
  ledger: BudgetLedger;
  rules: Pick<ModelRules, 'prices' | 'unknownPrice' | 'takeQuota'> & {
    onUnknownPrice: (model: { provider: string; model: string }) => void;
    /** Told of calls besides. */
    guards: readonly CallGuard[];
  };
  /** Told when a model begins or ceases to fail. */
  onBreaker?: (change: BreakerChange) => void;
};

/** Builds the adapters that activities need; `close` ends their threads. */
export function createActivities(
  settings: Settings,
  { effects, events, runs, tokens, toolServers, ledger, rules, onBreaker }: ActivityDependencies,
): { rooms: ActivityRooms; close: () => Promise<void> } {
  const text = createTextThreads({ threads: TEXT_THREADS });
  const options = providerOptions(settings, (job, signal) => text.run('condense', job, signal));
  const models = createLanguageModels(options);
  const { prices, unknownPrice: unknown, takeQuota: take } = rules;
  const maxOutputTokensOf = outputLimits(options);
  const budgets = keepBudgets({
    ledger,
    prices,
    maxOutputTokensOf,
    isLocal: (provider) => models.get(provider)?.local === true,
  });
  const asking = {
    models,
    defaultProvider: defaultModelProvider(settings, models),
    defaultEmbeddingProvider: defaultEmbeddingProvider(settings, models),
    effects,
    breakers: createModelBreakers(onBreaker === undefined ? {} : { onChange: onBreaker }),
    checkSchema: createSchemaCheck(),
    guards: [
      knowPrices({ prices, unknown, maxOutputTokensOf, onUnknown: rules.onUnknownPrice }),
      budgets,
      keepQuotas({ take, maxOutputTokensOf }),
      recordModelCalls(events, prices),
      ...rules.guards,
    ],
    prices,
    tokens,
  };
  return {
    rooms: {
      content: createContentActivities({ text, maxBytes: settings.CONTENT_PROCESSING_MAX_SIZE }),
      models: { ...createModelActivities(asking), ...createAgentActivities(asking) },
      runs: createRunActivities(runs),
      tools: {
        ...createToolActivities({
          effects,
          events,
          client: createHttpClient({
            allowedHosts: settings.WEFT_HTTP_ALLOWED_HOSTS,
            maxResponseBytes: settings.WEFT_PAYLOAD_MAX_BYTES,
          }),
        }),
        ...createMcpActivities({ effects, events, servers: toolServers }),
        ...createDiscoveryActivities(toolServers),
      },
    },
    close: () => text.close(),
  };
}
