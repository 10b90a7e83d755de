import { AppError } from '../../domain/errors.ts';
import { nextWindow } from '../../domain/models/budget.ts';
import type { Amounts, BudgetLedger, BudgetRefusal } from '../../domain/models/budget-ledger.ts';
import type { CallGuard, ModelCall } from '../../domain/models/call-guard.ts';
import type { TokenUsage } from '../../domain/models/generation.ts';
import type { ModelPrices } from '../../domain/models/model-prices.ts';
import { reservedUsage } from '../../domain/models/reserved-tokens.ts';

export type BudgetOptions = {
  ledger: BudgetLedger;
  prices: ModelPrices;
  /** What a provider writes at most where a request does not say. */
  maxOutputTokensOf: (provider: string) => number;
  /** Those that run here cost nothing. */
  isLocal: (provider: string) => boolean;
};

/** What is reserved may turn out to be far more than what is used. */
const SETTLING_MS = 5_000;
/** A budget may be raised, or removed, while a call waits for its next window. */
const LONGEST_WAIT_MS = 3_600_000;
const SPREAD = 0.2;
const MOST_SPREAD_MS = 30_000;

/** Lets a call pass where it fits into all budgets that it belongs to, and counts what it came to. */
export function keepBudgets({ ledger, prices, maxOutputTokensOf, isLocal }: BudgetOptions): CallGuard {
  const counted = new Map<string, Amounts>();
  const amountsOf = ({ provider }: ModelCall, model: string, usage: TokenUsage, at: Date): Amounts => ({
    tokens: usage.inputTokens + usage.outputTokens,
    microUsd: prices.costMicroUsd({ provider, model, usage }, at) ?? 0,
  });
  return {
    async beforeCall(call) {
      const { id: callId, place, provider, model } = call;
      if (place === null || isLocal(provider)) return;
      const amounts = amountsOf(call, model, reservedUsage(call, maxOutputTokensOf(provider)), new Date());
      const activity = callId.slice(0, callId.lastIndexOf('/'));
      const { runId, attempt } = place;
      const outcome = await ledger.reserve({ callId, activity, attempt, runId, provider, model, amounts });
      if (!outcome.admitted) throw refusal(call, outcome.refusals);
      if (outcome.isCounted) counted.set(callId, amounts);
    },
    async afterCall(call, { status, model, usage, startedAt }) {
      const reserved = counted.get(call.id);
      if (reserved === undefined) return;
      counted.delete(call.id);
      const nothing = { tokens: 0, microUsd: 0 };
      // An answer that nobody has counted is taken for as long as it may have been.
      const unmetered = status === 'ok' ? reserved : nothing;
      await ledger.settle(call.id, usage === null ? unmetered : amountsOf(call, model, usage, startedAt));
    },
  };
}

/** A cheaper model first, for it may fit into the others too; else whoever says no for good. */
function refusal(call: ModelCall, refusals: readonly [BudgetRefusal, ...BudgetRefusal[]]): AppError {
  const cheaper = call.kind === 'embed' ? undefined : refusals.find(({ action }) => action === 'DOWNGRADE');
  if (cheaper) {
    const detail = `budget ${cheaper.budgetId} is used up for other models`;
    return new AppError('MODEL_DOWNGRADED', { provider: call.provider, detail, to: cheaper.downgradeTo });
  }
  const final = refusals.find((one) => waitOf(one) === null);
  if (final) return exceeded(final);
  const waits = refusals.map((one) => ({ one, wait: waitOf(one) as number }));
  const { one, wait } = waits.reduce((longest, other) => (other.wait > longest.wait ? other : longest));
  const until = Date.now() + spread(Math.min(wait, LONGEST_WAIT_MS));
  return new AppError('CALL_PARKED', {
    until,
    opensAt: new Date(Date.now() + wait).toISOString(),
    detail: `${nameOf(one)} has room for ${left(one)} of ${one.limit} ${unitOf(one)}, and the call may need ${one.asked}`,
  });
}

/** Until there may be room; null where there never is. */
function waitOf({ action, limit, spent, asked, period }: BudgetRefusal): number | null {
  if (asked > limit) return null;
  if (spent + asked <= limit) return SETTLING_MS;
  const opens = nextWindow(period, new Date());
  return action === 'PARK' && opens !== null ? opens.getTime() - Date.now() : null;
}

/** So that not all who wait come at the same moment. */
const spread = (wait: number): number => Math.ceil(wait + Math.random() * Math.min(wait * SPREAD, MOST_SPREAD_MS));

function exceeded(one: BudgetRefusal): AppError {
  const { budgetId, scope, target, period, unit, limit, spent, reserved, asked } = one;
  const detail = `${nameOf(one)} has room for ${left(one)} of ${limit} ${unitOf(one)}, and the call may need ${asked}`;
  return new AppError('BUDGET_EXCEEDED', {
    ...{ detail, budgetId, scope, target, period, unit, limit, spent, reserved, asked },
  });
}

const nameOf = ({ budgetId, target }: BudgetRefusal): string =>
  `Budget ${budgetId}${target === '' ? '' : ` of ${target}`}`;
const left = ({ limit, spent, reserved }: BudgetRefusal): number => Math.max(0, limit - spent - reserved);
const unitOf = ({ unit }: BudgetRefusal): string => (unit === 'TOKENS' ? 'tokens' : 'micro-USD');
