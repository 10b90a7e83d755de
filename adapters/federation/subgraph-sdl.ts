import { createHash } from 'node:crypto';
import { type DocumentNode, GraphQLError, parse, print } from 'graphql';
import type { SchemaProblem } from './schema-problem.ts';

const MAXIMUM_TOKENS = 500_000;

/** Equal for texts that say the same, however they are laid out. */
export const sdlHash = (document: DocumentNode): string => createHash('sha256').update(print(document)).digest('hex');

export function readSdl(subgraph: string, sdl: string): { document: DocumentNode } | { problems: SchemaProblem[] } {
  try {
    return { document: parse(sdl, { maxTokens: MAXIMUM_TOKENS }) };
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const places = (error.locations ?? []).map(({ line, column }) => ({ subgraph, line, column }));
    return { problems: [{ code: 'INVALID_GRAPHQL', message: `[${subgraph}] ${error.message}`, places }] };
  }
}
