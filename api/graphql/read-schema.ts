import { readdirSync, readFileSync } from 'node:fs';
import { type DocumentNode, parse } from 'graphql';

/** The SDL of a subgraph: every `.graphql` file of its folder. */
export function readSchema(folder: URL): DocumentNode {
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'));
  return parse(
    files
      .sort()
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n'),
  );
}
