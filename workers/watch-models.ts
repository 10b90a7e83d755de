import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { BreakerChange } from '../activities/models/model-breakers.ts';
import { createBudgetLedger } from '../adapters/postgres/budget-ledger.ts';
import { startBudgetSweeper } from '../adapters/postgres/budget-sweeper.ts';
import { noteModelHealth } from '../adapters/postgres/model-health.ts';
import { createTokenPublisher } from '../adapters/postgres/token-publisher.ts';
import type { BudgetLedger } from '../domain/models/budget-ledger.ts';
import type { Settings } from '../config/settings.ts';

/** What others see of the models of this process: their tokens, and how they are doing. */
export function watchModels(
  database: pg.Pool,
  settings: Pick<Settings, 'WEFT_STREAM_FLUSH_MS' | 'WEFT_STREAM_RETENTION_MINUTES'>,
  log: Logger,
): { tokens: ReturnType<typeof createTokenPublisher>; onBreaker: (change: BreakerChange) => void } {
  const worker = `${hostname()}:${process.pid}`;
  return {
    tokens: createTokenPublisher(database, {
      flushMs: settings.WEFT_STREAM_FLUSH_MS,
      retentionMinutes: settings.WEFT_STREAM_RETENTION_MINUTES,
      onError: (error) => log.warn({ err: error }, 'tokens were not handed on'),
    }),
    onBreaker: (change) => {
      noteModelHealth(database, { worker, ...change }).catch((error: unknown) =>
        log.warn({ err: error }, 'the health of a model was not noted'),
      );
    },
  };
}

/** The budgets of calls as this process keeps them. */
export function openBudgets(
  database: pg.Pool,
  settings: Pick<Settings, 'WEFT_BUDGET_LEASE_MS' | 'WEFT_BUDGET_LOST_CALLS'>,
  log: Logger,
): { ledger: BudgetLedger; close: () => Promise<void> } {
  const worker = `${hostname()}:${process.pid}:${randomUUID()}`;
  const lease = { worker, leaseMs: settings.WEFT_BUDGET_LEASE_MS };
  const onError = (error: unknown) => log.warn({ err: error }, 'the budgets of models were not kept up');
  const sweeper = startBudgetSweeper(database, {
    ...lease,
    chargeLost: settings.WEFT_BUDGET_LOST_CALLS === 'charge',
    onError,
  });
  const ledger = createBudgetLedger(database, { ...lease, onError }, sweeper.release);
  return {
    ledger,
    close: async () => {
      await ledger.close();
      await sweeper.close();
    },
  };
}
