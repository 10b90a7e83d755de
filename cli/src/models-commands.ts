import type { Command } from 'commander';
import { exitCode } from './exit-code.ts';
import { graphqlUrl } from './graphql-url.ts';

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
}
