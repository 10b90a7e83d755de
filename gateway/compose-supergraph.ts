import { readdirSync, readFileSync } from 'node:fs';
import { composeServices } from '@apollo/composition';
import { type DocumentNode, parse } from 'graphql';
import { SETTINGS } from '../config/settings.ts';
import { requiredArguments } from '../adapters/federation/required-arguments.ts';
import type { Subgraph } from './subgraphs.ts';

export class CompositionFailed extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The subgraphs do not compose:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'CompositionFailed';
    this.problems = problems;
  }
}

/** The supergraph's SDL. Addresses in it are the defaults; the gateway takes the real ones from its settings. */
export function composeSupergraph(
  subgraphs: readonly Subgraph[],
  root: URL,
  declare: (sdl: DocumentNode) => DocumentNode = (sdl) => sdl,
): string {
  const services = subgraphs.map(({ name, schema, urlSetting }) => ({
    name,
    url: String(SETTINGS[urlSetting].default),
    typeDefs: declare(parse(readSdl(new URL(`${schema}/`, root)))),
  }));
  const refused = services.flatMap(({ name, typeDefs }) => requiredArguments(name, typeDefs));
  const result = composeServices(services);
  if (result.errors) throw new CompositionFailed([...refused, ...result.errors.map((error) => error.message)]);
  if (refused.length > 0) throw new CompositionFailed(refused);
  return `${result.supergraphSdl.trimEnd()}\n`;
}

function readSdl(folder: URL): string {
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'));
  return files
    .sort()
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n');
}
