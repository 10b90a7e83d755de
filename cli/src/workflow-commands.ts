import { type Command, Option } from 'commander';
import { wholeNumber } from './whole-number.ts';
import { exitCode } from './exit-code.ts';
import { graphqlUrl } from './graphql-url.ts';

export type Shared = { url: string; json?: boolean };
export type DraftOptions = Shared & { revision: number };

/** The verbs that find workflows, and those of drafts. */
export function addWorkflowCommands(program: Command): void {
  const workflow = program.command('workflow').description('find published workflows');
  verb(workflow, 'list', 'the latest version of each')
    .option('--name <text>', 'whose name contains this')
    .option('--first <number>', 'how many, 1 to 100', wholeNumber(), 50)
    .action((options: Shared & { name?: string; first: number }) =>
      exitCode(async () => (await import('./workflow/list-workflows.ts')).listWorkflows(options)),
    );
  addDrafts(program.command('draft').description('definitions that somebody is writing; one a workflow'));
}

function addDrafts(draft: Command): void {
  const load = () => import('./workflow/drafts.ts');
  verb(draft, 'save <file>', 'save a definition, which may have problems')
    .option('--revision <number>', 'the revision it takes the place of; 0 makes a new draft', wholeNumber(), 0)
    .action((file: string, options: DraftOptions) => exitCode(async () => (await load()).saveDraft(file, options)));
  verb(draft, 'list', 'drafts by name').action((options: Shared) =>
    exitCode(async () => (await load()).listDrafts(options)),
  );
  verb(draft, 'show <workflow>', 'a draft and what stands against publishing it').action(
    (id: string, options: Shared) => exitCode(async () => (await load()).showDraft(id, options)),
  );
  verb(draft, 'publish <workflow>', 'publish a draft, which is then gone')
    .requiredOption('--revision <number>', 'the one that was looked at', wholeNumber())
    .action((id: string, options: DraftOptions) => exitCode(async () => (await load()).publishDraft(id, options)));
  verb(draft, 'discard <workflow>', 'throw a draft away')
    .requiredOption('--revision <number>', 'the one that was looked at', wholeNumber())
    .action((id: string, options: DraftOptions) => exitCode(async () => (await load()).discardDraft(id, options)));
}

const verb = (group: Command, usage: string, description: string): Command =>
  group
    .command(usage)
    .description(description)
    .option('--json', 'one JSON value on stdout')
    .addOption(
      new Option('--url <url>', 'GraphQL address; default is that of the running weft start here').default(
        graphqlUrl(),
        'found',
      ),
    );
