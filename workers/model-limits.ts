import type pg from 'pg';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Settings } from '../config/settings.ts';
import type { BudgetLedger } from '../domain/models/budget-ledger.ts';
import type { ActivityDependencies } from './create-activities.ts';
import { countModelCalls } from './model-metrics.ts';
import { openModelRules } from './model-rules.ts';
import { openBudgets } from './watch-models.ts';

export type ModelLimits = { ledger: BudgetLedger; rules: ActivityDependencies['rules']; close: () => Promise<void> };

/** All that calls of models are held to in this process; with a registry they are counted there. */
export async function openModelLimits(
  database: pg.Pool,
  settings: Settings,
  { log, registry }: { log: Logger; registry: Registry | undefined },
): Promise<ModelLimits> {
  const budgets = openBudgets(database, settings, log);
  const rules = await openModelRules(database, settings, log);
  return {
    ledger: budgets.ledger,
    rules: {
      ...rules,
      onUnknownPrice: (model) => log.warn(model, 'the price of a model is not known: weft models price sets one'),
      guards: registry ? [countModelCalls(registry, rules.prices)] : [],
    },
    close: async () => {
      rules.close();
      await budgets.close();
    },
  };
}
