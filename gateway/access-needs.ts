import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  getNullableType,
  GraphQLError,
  type GraphQLCompositeType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isListType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { type Caller, isNobody, permits, ruleText } from './access-policies.ts';
import type { AccessRule, AccessRules } from './access-rules.ts';

/** A field of a document that not everybody may have. */
export type Need = {
  node: FieldNode;
  /** As `Type.field`. */
  field: string;
  rules: readonly AccessRule[];
  /** Names in the response, up to the first list. */
  path: readonly string[];
};

/** The rules of a field, wherever it is asked for; an interface's are those of all that it may be. */
export type FieldRules = (type: GraphQLCompositeType, field: string) => readonly AccessRule[];

export function createFieldRules(schema: GraphQLSchema, rules: AccessRules): FieldRules {
  const known = new Map<string, readonly AccessRule[]>();
  return (type, field) => {
    const place = `${type.name}.${field}`;
    let found = known.get(place);
    if (found === undefined) {
      const types = kin(schema, type);
      const given = types.flatMap((one) => {
        const definition = 'getFields' in one ? one.getFields()[field] : undefined;
        return definition === undefined ? [] : [getNamedType(definition.type).name];
      });
      const places = new Set([
        ...types.map(({ name }) => name),
        ...types.map(({ name }) => `${name}.${field}`),
        ...given,
      ]);
      found = [...places].flatMap((one) => rules.get(one) ?? []);
      known.set(place, found);
    }
    return found;
  };
}

/** A type and what it may turn out to be. Composition lets rules be on objects alone, and gives interfaces theirs. */
function kin(schema: GraphQLSchema, type: GraphQLCompositeType): readonly GraphQLCompositeType[] {
  return isAbstractType(type) ? [type, ...schema.getPossibleTypes(type)] : [type];
}

/** What one operation of a valid document needs, in its order. */
export function accessNeeds(
  schema: GraphQLSchema,
  rulesOf: FieldRules,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Need[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  }
  const seen = new Set<string>();
  const needs: Need[] = [];
  const walk = (
    { selections }: SelectionSetNode,
    type: GraphQLCompositeType,
    path: readonly string[],
    open: boolean,
  ) => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value;
        const definition = 'getFields' in type ? type.getFields()[name] : undefined;
        if (definition === undefined) continue;
        const here = open ? [...path, (selection.alias ?? selection.name).value] : path;
        const rules = rulesOf(type, name);
        if (rules.length > 0) needs.push({ node: selection, field: `${type.name}.${name}`, rules, path: here });
        const inner = getNamedType(definition.type);
        const list = isListType(getNullableType(definition.type));
        if (selection.selectionSet && isCompositeType(inner)) walk(selection.selectionSet, inner, here, open && !list);
        continue;
      }
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      if (fragment === undefined) continue;
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        if (seen.has(selection.name.value)) continue;
        seen.add(selection.name.value);
      }
      const condition = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
      walk(fragment.selectionSet, isCompositeType(condition) ? condition : type, path, open);
    }
  };
  const root = schema.getRootType(operation.operation);
  if (root) walk(operation.selectionSet, root, [], true);
  return needs;
}

export const deniedOf = (needs: readonly Need[], caller: Caller): readonly Need[] =>
  needs.filter(({ rules }) => !rules.every((rule) => permits(caller, rule)));

const SIGN_IN = 'Send `Authorization: Bearer ` and an access token or an API key; `weft login` gets one.';

/** The error of a field that its caller may not have. */
export function refusal(
  caller: Pick<Caller, 'kind' | 'permissions' | 'roles' | 'refused'>,
  { field, rules }: Pick<Need, 'field' | 'rules'>,
  path: readonly (string | number)[],
): GraphQLError {
  const needs = [...new Set(rules.filter((rule) => !permits(caller, rule)).map(ruleText))].join('; ');
  const [message, code] = isNobody(caller)
    ? [`Sign in first: ${field} is for those who are known`, 'UNAUTHENTICATED']
    : [`Access to ${field} is denied: it needs ${needs}`, 'ACCESS_DENIED'];
  const hint = isNobody(caller) ? { hint: SIGN_IN } : {};
  return new GraphQLError(message, { path, extensions: { code, field, needs, ...hint } });
}

/** The document without some of its fields; what is left empty asks for its type alone. */
export function withoutFields(document: DocumentNode, fields: ReadonlySet<FieldNode>): DocumentNode {
  return visit(document, {
    Field: (node) => (fields.has(node) ? null : undefined),
    SelectionSet: {
      leave: (set) => (set.selections.length === 0 ? { ...set, selections: [TYPENAME] } : undefined),
    },
  });
}

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };
