import { type Command, InvalidArgumentError, Option } from 'commander';
import { dollars } from './dollars.ts';
import { exitCode } from './exit-code.ts';
import { graphqlUrl } from './graphql-url.ts';
import { wholeNumber } from './whole-number.ts';

export type BudgetsOptions = { url: string; json?: boolean };
export type SetBudgetOptions = BudgetsOptions & {
  scope?: string;
  of?: string;
  per?: string;
  tokens?: number;
  usd?: number;
  action?: string;
  model?: string;
  warn?: number[];
  off?: boolean;
  on?: boolean;
};

export function addBudgetsCommands(program: Command): void {
  const budgets = program.command('budgets').description('limits of what calls of models may cost');
  const load = () => import('./budgets/budgets.ts');
  const verb = (signature: string, description: string) =>
    budgets
      .command(signature)
      .description(description)
      .option('--json', 'as JSON')
      .option('--url <url>', 'the graph to ask', graphqlUrl());
  verb('list', 'budgets, and what has been used of them in their present windows').action((options: BudgetsOptions) =>
    exitCode(async () => (await load()).listBudgets(options)),
  );
  verb('set <id>', 'make a budget, or change the one of that id')
    .addOption(new Option('--scope <scope>', 'whose calls').choices(['tenant', 'project', 'user', 'workflow', 'run']))
    .option('--of <name>', 'which project (label of runs), user, workflow or run; else each has the limit for itself')
    .addOption(new Option('--per <period>', 'a window, in UTC').choices(['day', 'week', 'month', 'total']))
    .option('--tokens <number>', 'the limit in tokens', wholeNumber())
    .option('--usd <number>', 'the limit in US dollars', dollars)
    .addOption(new Option('--action <action>', 'when a call does not fit').choices(['block', 'downgrade', 'park']))
    .option('--model <provider/model>', 'asked instead, for --action downgrade')
    .option('--warn <percents>', 'when to warn, such as 50,80,95', percents)
    .option('--off', 'counts nothing from now on')
    .option('--on', 'counts again')
    .action((id: string, options: SetBudgetOptions) => exitCode(async () => (await load()).setBudget(id, options)));
  verb('remove <id>', 'forget a budget and what it has counted').action((id: string, options: BudgetsOptions) =>
    exitCode(async () => (await load()).removeBudget(id, options)),
  );
}

function percents(text: string): number[] {
  const values = text === '' ? [] : text.split(',').map(Number);
  if (values.some((value) => !Number.isInteger(value))) throw new InvalidArgumentError('Not a list of whole numbers.');
  return values;
}
