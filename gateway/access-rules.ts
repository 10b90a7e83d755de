import { type ConstValueNode, type DirectiveNode, type DocumentNode, Kind, parse, print, visit } from 'graphql';

const DIRECTIVE = 'requiresScopes';
const ROOTS = ['Query', 'Mutation', 'Subscription'];

/** Scopes by `Type.field`: one of the inner lists must be held in full. */
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
  const open = rootFields(document).filter((field) => !rules.has(field));
  if (open.length > 0)
    throw new Error(`The supergraph says of no scope that ${open.join(', ')} requires: run npm run compose`);
  const bare = visit(document, {
    Directive: (directive) => (isSecurity(directive) ? null : undefined),
    DirectiveDefinition: (definition) => (definition.name.value === DIRECTIVE ? null : undefined),
    ScalarTypeDefinition: (scalar) => (scalar.name.value === `${DIRECTIVE}__Scope` ? null : undefined),
  });
  return { sdl: print(bare), rules };
}

function readRules(document: DocumentNode): AccessRules {
  const rules = new Map<string, string[][]>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    for (const field of definition.fields ?? []) {
      const directive = field.directives?.find(({ name }) => name.value === DIRECTIVE);
      const scopes = directive?.arguments?.[0]?.value;
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
  if (name.value === DIRECTIVE) return true;
  const url = values.find((argument) => argument.name.value === 'url')?.value;
  return name.value === 'link' && url?.kind === Kind.STRING && url.value.includes(`/${DIRECTIVE}/`);
}

const items = (value: ConstValueNode | DirectiveValue): readonly ConstValueNode[] =>
  value.kind === Kind.LIST ? (value.values as ConstValueNode[]) : [value as ConstValueNode];
const text = (value: ConstValueNode): string => (value.kind === Kind.STRING ? value.value : '');
type DirectiveValue = NonNullable<DirectiveNode['arguments']>[number]['value'];
