import { type Command, InvalidArgumentError } from 'commander';
import { exitCode } from './exit-code.ts';
import { graphqlUrl } from './graphql-url.ts';

export type PromptsOptions = { url: string; json?: boolean };
export type RenderOptions = PromptsOptions & { variables?: string };

export function addPromptsCommands(program: Command): void {
  const prompts = program.command('prompts').description('versioned templates of what models are asked');
  const load = () => import('./prompts/prompts.ts');
  const verb = (signature: string, description: string) =>
    prompts
      .command(signature)
      .description(description)
      .option('--json', 'as JSON')
      .option('--url <url>', 'the graph to ask', graphqlUrl());
  verb('list', 'the latest version of each').action((options: PromptsOptions) =>
    exitCode(async () => (await load()).listPrompts(options)),
  );
  verb('publish <file>', 'publish a YAML or JSON file: name, template, system, variables, description').action(
    (file: string, options: PromptsOptions) => exitCode(async () => (await load()).publishPrompt(file, options)),
  );
  verb('show <name>', 'a version of a prompt, or the latest, and which versions there are')
    .argument('[version]', 'which version', versionNumber)
    .action((name: string, version: number | undefined, options: PromptsOptions) =>
      exitCode(async () => (await load()).showPrompt(name, version, options)),
    );
  verb('diff <name>', 'what differs between two versions; without the second, from the latest')
    .argument('<from>', 'a version', versionNumber)
    .argument('[to]', 'another', versionNumber)
    .action((name: string, from: number, to: number | undefined, options: PromptsOptions) =>
      exitCode(async () => (await load()).diffPrompt(name, { from, to }, options)),
    );
  verb('render <name>', 'what a model would be asked; none is')
    .argument('[version]', 'which version', versionNumber)
    .option('--variables <json>', 'their values as JSON, or @file')
    .action((name: string, version: number | undefined, options: RenderOptions) =>
      exitCode(async () => (await load()).renderPrompt(name, version, options)),
    );
}

function versionNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be the number of a version.');
}
