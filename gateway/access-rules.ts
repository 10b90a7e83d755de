import { type ConstValueNode, type DirectiveNode, type DocumentNode, Kind, parse, print, visit } from 'graphql';

const SCOPES = 'requiresScopes';
const AUTHENTICATED = 'authenticated';
const DIRECTIVES = [SCOPES, AUTHENTICATED];
/** Root fields that are open to all. */
const PUBLIC = new Set(['Mutation.logIn', 'Mutation.refreshTokens']);
const ROOTS = ['Query', 'Mutation', 'Subscription'];

/** Scopes by `Type.field`: one of the inner lists must be held in full; an empty one by whoever has signed in. */
export type AccessRules = ReadonlyMap<string, readonly (readonly string[])[]>;

export type GuardedSupergraph = {
  /** Without the directives, which the planner refuses to load. */
  sdl: string;
  rules: AccessRules;
};

/** Takes the rules out of a supergraph. Throws when a root field has none: whoever serves it would serve it to all. */
export function accessRules(supergraph: string): GuardedSupergraph {
  const document = parse(supergraph);
  const rules = readRules(document);
  const open = rootFields(document).filter((field) => !rules.has(field) && !PUBLIC.has(field));
  if (open.length > 0)
    throw new Error(`The supergraph says of no scope that ${open.join(', ')} requires: run npm run compose`);
  const bare = visit(document, {
    Directive: (directive) => (isSecurity(directive) ? null : undefined),
    DirectiveDefinition: (definition) => (DIRECTIVES.includes(definition.name.value) ? null : undefined),
    ScalarTypeDefinition: (scalar) => (scalar.name.value === `${SCOPES}__Scope` ? null : undefined),
  });
  return { sdl: print(bare), rules };
}

function readRules(document: DocumentNode): AccessRules {
  const rules = new Map<string, string[][]>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    for (const field of definition.fields ?? []) {
      const place = `${definition.name.value}.${field.name.value}`;
      const has = (directive: string) => field.directives?.find(({ name }) => name.value === directive);
      const scopes = has(SCOPES)?.arguments?.[0]?.value;
      if (has(AUTHENTICATED)) rules.set(place, [[]]);
      if (scopes)
        rules.set(
          `${definition.name.value}.${field.name.value}`,
          items(scopes).map((all) => items(all).map(text)),
        );
    }
  }
  return rules;
}

function rootFields(document: DocumentNode): string[] {
  return document.definitions.flatMap((definition) =>
    definition.kind === Kind.OBJECT_TYPE_DEFINITION && ROOTS.includes(definition.name.value)
      ? (definition.fields ?? []).map((field) => `${definition.name.value}.${field.name.value}`)
      : [],
  );
}

function isSecurity({ name, arguments: values = [] }: DirectiveNode): boolean {
  if (DIRECTIVES.includes(name.value)) return true;
  const url = values.find((argument) => argument.name.value === 'url')?.value;
  return name.value === 'link' && url?.kind === Kind.STRING && DIRECTIVES.some((one) => url.value.includes(`/${one}/`));
}

const items = (value: ConstValueNode | DirectiveValue): readonly ConstValueNode[] =>
  value.kind === Kind.LIST ? (value.values as ConstValueNode[]) : [value as ConstValueNode];
const text = (value: ConstValueNode): string => (value.kind === Kind.STRING ? value.value : '');
type DirectiveValue = NonNullable<DirectiveNode['arguments']>[number]['value'];
