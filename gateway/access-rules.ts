import {
  type ConstDirectiveNode,
  type ConstValueNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type NamedTypeNode,
  parse,
  print,
  type SelectionSetNode,
  type TypeNode,
  visit,
} from 'graphql';
import { isPolicy } from './access-policies.ts';

const KINDS = { authenticated: 'authenticated', requiresScopes: 'scopes', policy: 'policies' } as const;
/** Root fields that are open to all. */
const PUBLIC = new Set(['Mutation.logIn', 'Mutation.refreshTokens']);
const ROOTS = ['Query', 'Mutation', 'Subscription'];

/** One directive: one of the inner lists must hold in full; signing in is enough where there are none. */
export type AccessRule = { kind: (typeof KINDS)[keyof typeof KINDS]; anyOf: readonly (readonly string[])[] };

/** By `Type.field` and by `Type`; all rules of a place must hold. */
export type AccessRules = ReadonlyMap<string, readonly AccessRule[]>;

export type GuardedSupergraph = {
  /** Without the directives, which the planner refuses to load. */
  sdl: string;
  rules: AccessRules;
};

/**
 * Takes the rules out of a supergraph.
 * @throws when a root field has none, or one that nobody here can decide: whoever serves it would serve it to all
 */
export function accessRules(supergraph: string): GuardedSupergraph {
  const document = parse(supergraph);
  const names = directiveNames(document);
  const own = ownRules(document, names);
  const open = rootFields(document).filter((field) => !own.has(field) && !PUBLIC.has(field));
  if (open.length > 0)
    throw new Error(`The supergraph says of no scope that ${open.join(', ')} requires: run npm run compose`);
  for (const [place, rules] of own) checkPolicies(place, rules);
  const bare = visit(document, {
    Directive: (directive) =>
      names.has(directive.name.value) || specOf(directive as ConstDirectiveNode) !== null ? null : undefined,
    DirectiveDefinition: ({ name }) => (names.has(name.value) ? null : undefined),
    ScalarTypeDefinition: ({ name }) => (names.has(name.value.split('__')[0] ?? '') ? null : undefined),
  });
  return { sdl: print(bare), rules: withRequired(document, own) };
}

type Names = ReadonlyMap<string, AccessRule['kind']>;

/** The three directives under the names that the supergraph gives them. */
function directiveNames(document: DocumentNode): Names {
  const names = new Map<string, AccessRule['kind']>(Object.entries(KINDS));
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.SCHEMA_DEFINITION && definition.kind !== Kind.SCHEMA_EXTENSION) continue;
    for (const link of definition.directives ?? []) {
      const spec = specOf(link);
      const alias = valueOf(link, 'as');
      if (spec !== null && alias?.kind === Kind.STRING) names.set(alias.value, KINDS[spec]);
    }
  }
  return names;
}

/** Which of the three a link brings. */
function specOf(link: ConstDirectiveNode): keyof typeof KINDS | null {
  const url = link.name.value === 'link' ? valueOf(link, 'url') : undefined;
  if (url?.kind !== Kind.STRING) return null;
  return (Object.keys(KINDS) as (keyof typeof KINDS)[]).find((name) => url.value.includes(`/${name}/`)) ?? null;
}

function ownRules(document: DocumentNode, names: Names): Map<string, AccessRule[]> {
  const found = new Map<string, AccessRule[]>();
  const note = (place: string, directives: readonly ConstDirectiveNode[] = []) => {
    const rules = directives.flatMap((directive) => {
      const kind = names.get(directive.name.value);
      return kind === undefined ? [] : [{ kind, anyOf: listsOf(directive) }];
    });
    if (rules.length > 0) found.set(place, [...(found.get(place) ?? []), ...rules]);
  };
  for (const definition of document.definitions) {
    if (!('name' in definition) || definition.name === undefined || !('directives' in definition)) continue;
    note(definition.name.value, definition.directives as readonly ConstDirectiveNode[]);
    for (const field of fieldsOf(definition)) note(`${definition.name.value}.${field.name.value}`, field.directives);
  }
  return found;
}

const fieldsOf = (definition: object): readonly FieldDefinitionNode[] =>
  'fields' in definition ? (definition.fields as readonly FieldDefinitionNode[]) : [];

function rootFields(document: DocumentNode): string[] {
  return document.definitions.flatMap((definition) =>
    definition.kind === Kind.OBJECT_TYPE_DEFINITION && ROOTS.includes(definition.name.value)
      ? (definition.fields ?? []).map((field) => `${definition.name.value}.${field.name.value}`)
      : [],
  );
}

function checkPolicies(place: string, rules: readonly AccessRule[]): void {
  for (const { kind, anyOf } of rules) {
    const unknown = kind === 'policies' ? anyOf.flat().find((name) => !isPolicy(name)) : undefined;
    if (unknown !== undefined)
      throw new Error(
        `The supergraph has policy ${JSON.stringify(unknown)} at ${place}, which the gateway cannot decide`,
      );
  }
}

/** A field that is computed of others, by `@requires`, needs what those need. */
function withRequired(document: DocumentNode, own: ReadonlyMap<string, readonly AccessRule[]>): AccessRules {
  const types = new Map(
    document.definitions.flatMap((one) =>
      one.kind === Kind.OBJECT_TYPE_DEFINITION || one.kind === Kind.INTERFACE_TYPE_DEFINITION
        ? [[one.name.value, new Map((one.fields ?? []).map((field) => [field.name.value, field]))] as const]
        : [],
    ),
  );
  const rules = new Map<string, readonly AccessRule[]>(own);
  const add = (place: string, { selections }: SelectionSetNode, type: string): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) continue;
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        add(place, selection.selectionSet, selection.typeCondition?.name.value ?? type);
        continue;
      }
      const field = types.get(type)?.get(selection.name.value);
      const inner = field === undefined ? '' : namedType(field.type).name.value;
      const needed = [...(own.get(`${type}.${selection.name.value}`) ?? []), ...(own.get(inner) ?? [])];
      if (needed.length > 0) rules.set(place, [...(rules.get(place) ?? []), ...needed]);
      if (selection.selectionSet) add(place, selection.selectionSet, inner);
    }
  };
  for (const [type, fields] of types) {
    for (const field of fields.values()) {
      for (const join of field.directives?.filter(({ name }) => name.value === 'join__field') ?? []) {
        const required = valueOf(join, 'requires');
        if (required?.kind !== Kind.STRING) continue;
        const [operation] = parse(`{ ${required.value} }`).definitions;
        if (operation && 'selectionSet' in operation) add(`${type}.${field.name.value}`, operation.selectionSet, type);
      }
    }
  }
  return rules;
}

function namedType(type: TypeNode): NamedTypeNode {
  return type.kind === Kind.NAMED_TYPE ? type : namedType(type.type);
}

const valueOf = ({ arguments: values = [] }: ConstDirectiveNode, name: string): ConstValueNode | undefined =>
  values.find((argument) => argument.name.value === name)?.value;

/** The lists of the one argument that `@requiresScopes` and `@policy` have. */
function listsOf({ arguments: values = [] }: ConstDirectiveNode): string[][] {
  const [given] = values;
  return given === undefined ? [] : items(given.value).map((all) => items(all).map(text));
}

const items = (value: ConstValueNode): readonly ConstValueNode[] => (value.kind === Kind.LIST ? value.values : [value]);
const text = (value: ConstValueNode): string => (value.kind === Kind.STRING ? value.value : '');
