import type { Command } from 'commander';
import { exitCode } from './exit-code.ts';
import { dollars } from './dollars.ts';
import { graphqlUrl } from './graphql-url.ts';
import type { PriceOptions, QuotaOptions } from './models/model-rules.ts';
import { wholeNumber } from './whole-number.ts';

export type ModelsOptions = { url: string; json?: boolean };

export function addModelsCommands(program: Command): void {
  const models = program.command('models').description('providers of models');
  const load = () => import('./models/models.ts');
  const verb = (signature: string, description: string) =>
    models
      .command(signature)
      .description(description)
      .option('--json', 'as JSON')
      .option('--url <url>', 'the graph to ask', graphqlUrl());
  verb('list', 'who there is, what they can do, what is missing and how their models are doing').action(
    (options: ModelsOptions) => exitCode(async () => (await load()).listModels(options)),
  );
  verb('test <provider> [model]', 'ask a model for one word, for real; exit code 1 when it does not answer').action(
    (provider: string, model: string | undefined, options: ModelsOptions) =>
      exitCode(async () => (await load()).testModel(provider, model, options)),
  );
  const rules = () => import('./models/model-rules.ts');
  verb('prices', 'prices of our own, in dollars for a million tokens').action((options: ModelsOptions) =>
    exitCode(async () => (await rules()).listPrices(options)),
  );
  verb('price <provider/model>', 'give a model a price of our own; a model that ends with * is for all that begin so')
    .option('--input <usd>', 'for a million tokens read', dollars)
    .option('--output <usd>', 'for a million tokens written', dollars)
    .option('--cache-read <usd>', 'for a million of those from the cache', dollars)
    .option('--cache-write <usd>', 'for a million of those that go into it', dollars)
    .option('--remove', 'the list counts again')
    .action((name: string, options: PriceOptions) => exitCode(async () => (await rules()).setPrice(name, options)));
  verb('quotas', 'what providers take in a minute, of all workers together').action((options: ModelsOptions) =>
    exitCode(async () => (await rules()).listQuotas(options)),
  );
  verb('quota <provider>', 'set what a provider, or provider/model, takes in a minute; calls beyond it wait')
    .option('--requests <number>', 'requests a minute', wholeNumber(1))
    .option('--tokens <number>', 'tokens a minute', wholeNumber(1))
    .option('--remove', 'no quota any more')
    .action((name: string, options: QuotaOptions) => exitCode(async () => (await rules()).setQuota(name, options)));
}
