import type { TenantId } from '../../domain/identifiers.ts';
import type { Budget } from '../../domain/models/budget.ts';
import type { RunsDeps } from '../runs/deps.ts';
import type { RunsContext } from '../runs/resolvers.ts';
import { type BudgetInput, budgetOf, budgetsOf, budgetUse, removeBudget, setBudget } from './budgets.ts';

type ById = { id: string };

/** `poolOf` gives the database as the caller's tenant sees it. */
export function budgetsResolvers(poolOf: (tenantId: TenantId) => RunsDeps['pool']) {
  const depsOf = ({ tenantId }: { tenantId: TenantId }) => ({ pool: poolOf(tenantId) });
  return {
    Query: {
      budgets: (_: unknown, __: unknown, { principal }: RunsContext) => budgetsOf(depsOf(principal), principal),
      budget: (_: unknown, { id }: ById, { principal }: RunsContext) => budgetOf(depsOf(principal), principal, id),
    },
    Mutation: {
      saveBudget: (_: unknown, { input }: { input: BudgetInput }, { principal }: RunsContext) =>
        setBudget(depsOf(principal), principal, input),
      removeBudget: (_: unknown, { id }: ById, { principal }: RunsContext) =>
        removeBudget(depsOf(principal), principal, id),
    },
    types: {
      Budget: { use: (budget: Budget, { first }: { first: number }) => budgetUse(depsOf(budget), budget, first) },
    },
  };
}
