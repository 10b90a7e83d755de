import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.ts';
import type { SubgraphMetrics } from '../subgraph-metrics.ts';
import { createBreaker } from './breaker.ts';
import { createBulkhead } from './bulkhead.ts';
import type { Guards } from './guarded-send.ts';
import { createRetryBudget } from './retry-budget.ts';

export type ResilienceSettings = Pick<
  Settings,
  | 'WEFT_SUBGRAPH_TIMEOUT_MS'
  | 'WEFT_SUBGRAPH_TIMEOUTS'
  | 'WEFT_SUBGRAPH_RETRIES'
  | 'WEFT_SUBGRAPH_BREAKER_FAILURES'
  | 'WEFT_SUBGRAPH_BREAKER_MS'
  | 'WEFT_SUBGRAPH_CONCURRENCY'
  | 'WEFT_SUBGRAPH_QUEUE'
>;

/** What stands between the gateway and one subgraph. */
export function createSubgraphGuards(
  name: string,
  settings: ResilienceSettings,
  metrics: SubgraphMetrics,
  log: Logger,
): Guards {
  const breaker = createBreaker({
    failures: settings.WEFT_SUBGRAPH_BREAKER_FAILURES,
    openMs: settings.WEFT_SUBGRAPH_BREAKER_MS,
    onChange(state) {
      if (state === 'open') metrics.breakerOpened.inc({ subgraph: name });
      log[state === 'open' ? 'warn' : 'info']({ subgraph: name, state }, 'the breaker of a subgraph has changed');
    },
  });
  const bulkhead = createBulkhead(settings.WEFT_SUBGRAPH_CONCURRENCY, settings.WEFT_SUBGRAPH_QUEUE);
  metrics.watch(name, { breaker, bulkhead });
  return {
    breaker,
    bulkhead,
    budget: createRetryBudget(),
    timeoutMs: settings.WEFT_SUBGRAPH_TIMEOUTS?.[name] ?? settings.WEFT_SUBGRAPH_TIMEOUT_MS,
    retries: settings.WEFT_SUBGRAPH_RETRIES,
    onRetry: () => metrics.retries.inc({ subgraph: name }),
  };
}
