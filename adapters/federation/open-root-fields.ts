import { Kind, parse } from 'graphql';

const ROOTS = new Set(['Query', 'Mutation', 'Subscription']);
const RULES = new Set(['requiresScopes', 'authenticated']);
/** What whoever has not signed in needs. */
const PUBLIC = new Set(['Mutation.logIn', 'Mutation.refreshTokens']);

/** Root fields of a supergraph that say nothing of who may use them: no gateway would serve it. */
export function openRootFields(supergraphSdl: string): string[] {
  return parse(supergraphSdl, { noLocation: true }).definitions.flatMap((definition) => {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION || !ROOTS.has(definition.name.value)) return [];
    return (definition.fields ?? [])
      .filter(({ directives = [] }) => !directives.some(({ name }) => RULES.has(name.value)))
      .map(({ name }) => `${definition.name.value}.${name.value}`)
      .filter((field) => !PUBLIC.has(field));
  });
}
