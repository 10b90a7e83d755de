import { composeServices } from '@apollo/composition';
import type { ASTNode, DocumentNode, GraphQLError } from 'graphql';
import { openRootFields } from './open-root-fields.ts';
import { requiredArguments } from './required-arguments.ts';
import { placeless, type SchemaPlace, type SchemaProblem } from './schema-problem.ts';

export type ComposedSubgraph = { name: string; url: string | null; document: DocumentNode };
export type SchemaHint = { code: string; message: string };
export type Composition = { supergraphSdl: string; hints: SchemaHint[] } | { problems: SchemaProblem[] };

/** One graph of all, or everything that stands against it. */
export function composeSubgraphs(subgraphs: readonly ComposedSubgraph[]): Composition {
  const refused = subgraphs.flatMap(({ name, document }) =>
    requiredArguments(name, document).map((message) => placeless('REQUIRES_WITH_ARGUMENTS', message)),
  );
  const result = composeServices(
    subgraphs.map(({ name, url, document }) => ({ name, url: url ?? '', typeDefs: document })),
  );
  if (result.errors) return { problems: [...refused, ...result.errors.map(problemOf)] };
  const open = openRootFields(result.supergraphSdl).map((field) =>
    placeless('PERMISSION_MISSING', `${field} says of no scope that it requires: give it @requiresScopes`),
  );
  if (refused.length + open.length > 0) return { problems: [...refused, ...open] };
  const hints = result.hints.map(({ definition, message }) => ({ code: definition.code, message }));
  return { supergraphSdl: `${result.supergraphSdl.trimEnd()}\n`, hints };
}

function problemOf({ message, extensions, nodes }: GraphQLError): SchemaProblem {
  const { code } = extensions;
  return { code: typeof code === 'string' ? code : 'INVALID', message, places: (nodes ?? []).flatMap(placeOf) };
}

/** Composition writes into the nodes of its errors which subgraph they are of. */
function placeOf(node: ASTNode & { subgraph?: string }): SchemaPlace[] {
  const token = node.loc?.startToken;
  return token ? [{ subgraph: node.subgraph ?? null, line: token.line, column: token.column }] : [];
}
