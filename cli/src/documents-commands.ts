import type { Command } from 'commander';
import { exitCode } from './exit-code.ts';
import { graphqlUrl } from './graphql-url.ts';

export type DocumentsOptions = { url: string; json?: boolean };

export function addDocumentsCommands(program: Command): void {
  const documents = program.command('documents').description('GraphQL documents that the gateway takes by their hash');
  const load = () => import('./documents/documents.ts');
  const verb = (signature: string, description: string) =>
    documents
      .command(signature)
      .description(description)
      .option('--json', 'as JSON')
      .option('--url <url>', 'the graph to tell', graphqlUrl());
  verb(
    'publish <paths...>',
    'publish documents: .graphql files, folders of them, or manifests (of Apollo, or hashes with texts) as .json',
  ).action((paths: string[], options: DocumentsOptions) =>
    exitCode(async () => (await load()).publishDocuments(paths, options)),
  );
  verb('list', 'what is published').action((options: DocumentsOptions) =>
    exitCode(async () => (await load()).listDocuments(options)),
  );
  verb('remove <hash>', 'take a document back').action((hash: string, options: DocumentsOptions) =>
    exitCode(async () => (await load()).removeDocument(hash, options)),
  );
}
