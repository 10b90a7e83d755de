import type { BudgetsOptions, SetBudgetOptions } from '../budgets-commands.ts';
import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { UsageError } from '../usage-error.ts';

type Use = { target: string; spent: number; reserved: number; percent: number; endsAt: string | null };
type Budget = {
  id: string;
  scope: string;
  target: string | null;
  period: string;
  unit: string;
  limit: number;
  action: string;
  downgradeTo: string | null;
  enabled: boolean;
  use: Use[];
};

const BUDGET = `id scope target period unit limit action downgradeTo warnAt enabled
  use { target startsAt endsAt spent reserved percent refusedAt }`;

export async function listBudgets({ url, json }: BudgetsOptions): Promise<number> {
  const { budgets } = await createGatewayClient(url)<{ budgets: Budget[] }>(`{ budgets { ${BUDGET} } }`);
  if (json) printJson(budgets);
  else printBudgets(budgets);
  return 0;
}

export async function setBudget(id: string, options: SetBudgetOptions): Promise<number> {
  const { url, json, scope, of, per, tokens, usd, action, model, warn, off, on } = options;
  if (tokens !== undefined && usd !== undefined) throw new UsageError('--tokens and --usd exclude each other', null);
  if (off && on) throw new UsageError('--off and --on exclude each other', null);
  const limit = tokens === undefined ? usd : tokens;
  const input = {
    ...{ id, scope: scope?.toUpperCase(), target: of, period: per?.toUpperCase(), limit },
    ...(limit === undefined ? {} : { unit: tokens === undefined ? 'MICRO_USD' : 'TOKENS' }),
    ...{ action: action?.toUpperCase(), downgradeTo: model, warnAt: warn },
    ...(off ? { enabled: false } : on ? { enabled: true } : {}),
  };
  const { saveBudget } = await createGatewayClient(url)<{ saveBudget: Budget }>(
    `mutation ($input: BudgetInput!) { saveBudget(input: $input) { ${BUDGET} } }`,
    { input },
  );
  if (json) printJson(saveBudget);
  else printBudgets([saveBudget]);
  return 0;
}

export async function removeBudget(id: string, { url, json }: BudgetsOptions): Promise<number> {
  await createGatewayClient(url)(`mutation ($id: ID!) { removeBudget(id: $id) }`, { id });
  if (json) printJson({ removed: id });
  else process.stdout.write(`removed ${id}\n`);
  return 0;
}

function printBudgets(budgets: readonly Budget[]): void {
  const rows = budgets.flatMap((budget) => {
    const { id, scope, target, action, downgradeTo, enabled, period } = budget;
    const whose = `${scope.toLowerCase()}${target === null ? '' : ` ${target}`}`;
    const what = `${action.toLowerCase()}${downgradeTo === null ? '' : ` to ${downgradeTo}`}`;
    const head = [id, whose, `${amount(budget, budget.limit)} a ${period.toLowerCase()}`, enabled ? what : 'off'];
    if (budget.use.length === 0) return [[...head, '', '-', '-']];
    return budget.use.map(({ target: of, spent, reserved, percent }, index) => [
      ...(index === 0 ? head : ['', '', '', '']),
      of,
      `${amount(budget, spent)} (${percent}%)`,
      reserved === 0 ? '-' : amount(budget, reserved),
    ]);
  });
  printRows([['BUDGET', 'OF', 'LIMIT', 'THEN', 'FOR', 'SPENT', 'UNDER WAY'], ...rows]);
}

const amount = ({ unit }: Budget, value: number): string =>
  unit === 'TOKENS' ? `${value} tokens` : `$${(value / 1e6).toFixed(4)}`;
