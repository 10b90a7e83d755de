import {
  deleteBudget,
  listBudgets,
  readBudget,
  readBudgetUse,
  saveBudget,
} from '../../adapters/postgres/budget-store.ts';
import { AppError } from '../../domain/errors.ts';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import {
  type Budget,
  BUDGET_WARNINGS,
  type BudgetUse,
  checkBudget,
  type NewBudget,
} from '../../domain/models/budget.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid, pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from '../runs/deps.ts';
import { changed } from '../runs/recorded-changes.ts';

type Deps = Pick<RunsDeps, 'pool'>;
export type BudgetInput = { id: string } & { [Name in keyof Omit<NewBudget, 'id'>]?: NewBudget[Name] | null };
export type BudgetUseView = BudgetUse & { percent: number };

const MOST_WINDOWS = 1_000;

export function budgetsOf({ pool }: Deps, { tenantId }: Principal): Promise<Budget[]> {
  return listBudgets(pool, tenantId);
}

export async function budgetOf({ pool }: Deps, { tenantId }: Principal, id: string): Promise<Budget | null> {
  return (id.includes('\0') ? undefined : await readBudget(pool, tenantId, id)) ?? null;
}

export async function budgetUse({ pool }: Deps, budget: Budget, first: number): Promise<BudgetUseView[]> {
  const use = await readBudgetUse(pool, budget, pageSize(first, 20, MOST_WINDOWS));
  const percentOf = ({ spent }: BudgetUse) => (budget.limit === 0 ? 100 : (spent / budget.limit) * 100);
  return use.map((one) => ({ ...one, percent: Math.round(percentOf(one) * 10) / 10 }));
}

/** @throws INPUT_INVALID */
export async function setBudget(deps: Deps, principal: Principal, input: BudgetInput): Promise<Budget> {
  const before = await budgetOf(deps, principal, input.id);
  const budget = merged(input, before);
  checkBudget(budget);
  return changed(
    deps,
    principal,
    (client) => saveBudget(client, principal.tenantId, budget),
    (saved) => budgetSaved(saved, principal.subject),
  );
}

/** @throws NOT_FOUND */
export async function removeBudget(deps: Deps, principal: Principal, id: string): Promise<boolean> {
  const there = id.replaceAll('\0', '');
  const removed = await changed(
    deps,
    principal,
    (client) => deleteBudget(client, principal.tenantId, there),
    () => ({ type: 'budget.removed', id: there, payload: { id: there, by: principal.subject } }),
  );
  if (!removed) throw new AppError('NOT_FOUND', { what: 'budget', id });
  return true;
}

function merged(input: BudgetInput, before: Budget | null): NewBudget {
  const { scope, unit, limit } = { ...before, ...given(input) };
  for (const [name, value] of Object.entries({ scope, unit, limit })) {
    if (value === undefined) throw argumentInvalid(`input/${name}`, 'is needed for a new budget');
  }
  const defaults = { period: 'MONTH', action: 'BLOCK', warnAt: BUDGET_WARNINGS, enabled: true } as const;
  const cleared = (name: 'target' | 'downgradeTo') =>
    input[name] === undefined ? (before?.[name] ?? null) : input[name];
  const next = {
    ...defaults,
    ...before,
    ...given(input),
    target: cleared('target'),
    downgradeTo: cleared('downgradeTo'),
  };
  for (const name of ['scope', 'period', 'unit'] as const) {
    const isOther = before !== null && before[name] !== next[name];
    if (isOther)
      throw argumentInvalid(`input/${name}`, `of budget ${input.id} is ${before[name]}: make another budget`);
  }
  return {
    ...(next as NewBudget),
    downgradeTo: next.action === 'DOWNGRADE' ? next.downgradeTo : (input.downgradeTo ?? null),
  };
}

const given = (input: BudgetInput): Partial<NewBudget> =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined && value !== null));

function budgetSaved(budget: Budget, by: string | null): SystemEvent {
  const { id, scope, target, period, unit, limit, action, downgradeTo, warnAt, enabled, revision } = budget;
  const payload = { id, scope, target, period, unit, limit, action, downgradeTo, warnAt: [...warnAt], enabled, by };
  return { type: revision === 1 ? 'budget.created' : 'budget.changed', id, payload };
}
