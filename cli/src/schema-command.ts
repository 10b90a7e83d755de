import { Argument, type Command } from 'commander';
import { exitCode } from './exit-code.ts';
import { graphqlUrl } from './graphql-url.ts';
import { collect } from './node-mapping.ts';
import { wholeNumber } from './whole-number.ts';

export type SchemaOptions = { url: string; json?: boolean };
export type CheckOptions = SchemaOptions & { operations: string[]; address?: string };
export type PublishOptions = CheckOptions & { force?: boolean; note?: string };
export type ShowOptions = SchemaOptions & { subgraph?: string };

/** `weft schema`: what gateways serve. */
export function addSchemaCommand(program: Command): void {
  const schema = program.command('schema').description('the graph that the gateways serve, and its subgraphs');
  const load = () => import('./schema/schema.ts');
  const verb = (signature: string, description: string) =>
    schema
      .command(signature)
      .description(description)
      .option('--json', 'as JSON')
      .option('--url <url>', 'the graph to ask', graphqlUrl());
  const OPERATIONS =
    'a file or folder of operations that callers send; those that would break are named; again for each';
  const ADDRESS = 'where gateways reach the subgraph as long as none of its processes says so itself';
  verb('check <subgraph> <file>', 'what publishing would do; exit code 1 when it does not compose or callers may break')
    .option('--operations <file>', OPERATIONS, collect, [])
    .option('--address <url>', ADDRESS)
    .action((subgraph: string, file: string, options: CheckOptions) =>
      exitCode(async () => (await load()).checkSchema(subgraph, file, options)),
    );
  verb('publish <subgraph> <file>', 'make a file, or a folder of files, the schema of a subgraph')
    .option('--operations <file>', OPERATIONS, collect, [])
    .option('--address <url>', ADDRESS)
    .option('--force', 'although callers may break')
    .option('--note <text>', 'why, for whoever reads the list')
    .action((subgraph: string, file: string, options: PublishOptions) =>
      exitCode(async () => (await load()).publishSchema(subgraph, file, options)),
    );
  verb('rollback', 'let the gateways serve an earlier version again')
    .addArgument(new Argument('<version>').argParser(wholeNumber(1)))
    .option('--note <text>', 'why, for whoever reads the list')
    .action((version: number, options: SchemaOptions & { note?: string }) =>
      exitCode(async () => (await load()).rollBackSchema(version, options)),
    );
  verb('list', 'versions, newest first: the first is what gateways serve')
    .option('--first <number>', 'how many', wholeNumber(1), 20)
    .action((options: SchemaOptions & { first: number }) => exitCode(async () => (await load()).listVersions(options)));
  verb('show', 'the supergraph of a version; default: what is served')
    .addArgument(new Argument('[version]').argParser(wholeNumber(1)))
    .option('--subgraph <name>', 'the schema of this subgraph instead')
    .action((version: number | undefined, options: ShowOptions) =>
      exitCode(async () => (await load()).showVersion(version ?? null, options)),
    );
  verb('subgraphs', 'the processes that serve subgraphs').action((options: SchemaOptions) =>
    exitCode(async () => (await load()).listSubgraphs(options)),
  );
}
