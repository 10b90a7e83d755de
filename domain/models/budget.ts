import { AppError } from '../errors.ts';
import type { TenantId } from '../identifiers.ts';

export const BUDGET_SCOPES = ['TENANT', 'PROJECT', 'USER', 'WORKFLOW', 'RUN'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];
/** In UTC; weeks begin on Monday. */
export const BUDGET_PERIODS = ['DAY', 'WEEK', 'MONTH', 'TOTAL'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];
export const BUDGET_UNITS = ['TOKENS', 'MICRO_USD'] as const;
export type BudgetUnit = (typeof BUDGET_UNITS)[number];
/** What becomes of a call that does not fit: it fails, another model is asked, or its node waits for the next window. */
export const BUDGET_ACTIONS = ['BLOCK', 'DOWNGRADE', 'PARK'] as const;
export type BudgetAction = (typeof BUDGET_ACTIONS)[number];

export type NewBudget = {
  id: string;
  scope: BudgetScope;
  /** A project (the label `project` of a run), user, workflow or run; null: each of them has its own. */
  target: string | null;
  period: BudgetPeriod;
  unit: BudgetUnit;
  limit: number;
  action: BudgetAction;
  /** `provider/model`, which may be asked beyond the limit. */
  downgradeTo: string | null;
  /** Percent of the limit. */
  warnAt: readonly number[];
  enabled: boolean;
};
export type Budget = NewBudget & { tenantId: TenantId; revision: number; createdAt: Date; updatedAt: Date };

/** What has been used of a budget in the present window. */
export type BudgetUse = {
  /** The project, user, workflow or run; empty for the tenant. */
  target: string;
  startsAt: Date;
  /** Null where it never ends. */
  endsAt: Date | null;
  spent: number;
  /** Of calls under way. */
  reserved: number;
  warned: number;
  refusedAt: Date | null;
};

export const BUDGET_WARNINGS: readonly number[] = [50, 80, 95];
const ID = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const MOST_WARNINGS = 10;

/** @throws INPUT_INVALID with every bad path */
export function checkBudget(budget: NewBudget): void {
  const { id, scope, target, period, limit, action, downgradeTo, warnAt } = budget;
  const isPercent = (value: number) => Number.isInteger(value) && value >= 1 && value <= 100;
  const rules: [path: string, isFine: boolean, message: string][] = [
    ['id', ID.test(id), 'must be of a-z, 0-9, ".", "_" and "-", at most 63'],
    ['target', scope !== 'TENANT' || target === null, 'has no meaning for a budget of the whole tenant'],
    ['target', target === null || /^[^\p{Cc}]{1,255}$/u.test(target), 'must be a printable text of at most 255'],
    ['limit', Number.isSafeInteger(limit) && limit >= 0, 'must be a whole number, 0 or more'],
    ['action', action !== 'PARK' || period !== 'TOTAL', 'cannot be PARK: a window of all time never opens again'],
    ['downgradeTo', (action === 'DOWNGRADE') === (downgradeTo !== null), 'belongs to the action DOWNGRADE'],
    ['downgradeTo', downgradeTo === null || /^[^/\s]+\/\S+$/.test(downgradeTo), 'must be provider/model'],
    ['warnAt', warnAt.length <= MOST_WARNINGS && warnAt.every(isPercent), 'must be at most 10 percentages of 1 to 100'],
  ];
  const paths = rules.flatMap(([path, isFine, message]) => (isFine ? [] : [{ path: `/${path}`, message }]));
  const [first] = paths;
  if (first) throw new AppError('INPUT_INVALID', { detail: `${first.path.slice(1)} ${first.message}`, paths });
}

/** When the window after the one that `at` lies in begins; null where there is none. */
export function nextWindow(period: BudgetPeriod, at: Date): Date | null {
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  switch (period) {
    case 'DAY':
      return new Date(Date.UTC(year, month, day + 1));
    case 'WEEK':
      return new Date(Date.UTC(year, month, day + 7 - ((at.getUTCDay() + 6) % 7)));
    case 'MONTH':
      return new Date(Date.UTC(year, month + 1, 1));
    case 'TOTAL':
      return null;
  }
}
