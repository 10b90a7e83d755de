import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  getNullableType,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  isCompositeType,
  isListType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { CostRules, ListSize } from './cost-rules.ts';

type Variables = Readonly<Record<string, unknown>>;
/** What an operation costs with these variables. */
export type OperationCost = (variables: Variables) => number;

export type CostSource = { schema: GraphQLSchema; rules: CostRules; listSize: number };

/** Arguments that say how long a list is where no `@listSize` does. */
const USUAL_SLICING = ['first', 'last', 'limit'];

/**
 * Compiles the cost of an operation: an object counts 1 and a leaf nothing, times the length of the lists that they are in.
 * Of the types that an object may have all count. What does not depend on variables is added up once.
 */
export function compileCost(
  { schema, rules, listSize }: CostSource,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): OperationCost {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  const defaults = new Map(
    (operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
      defaultValue?.kind === Kind.INT ? [[variable.name.value, Number(defaultValue.value)] as const] : [],
    ),
  );

  function set({ selections }: SelectionSetNode, type: GraphQLCompositeType, sized: Sized | null): OperationCost {
    const costs = selections.map((selection): OperationCost => {
      if (selection.kind === Kind.FIELD) return field(selection, type, sized);
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      if (fragment === undefined) return FREE;
      const condition = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
      return set(fragment.selectionSet, isCompositeType(condition) ? condition : type, sized);
    });
    return sum(costs.filter((cost) => cost !== FREE));
  }

  function field(node: FieldNode, type: GraphQLCompositeType, sized: Sized | null): OperationCost {
    const name = node.name.value;
    const definition = 'getFields' in type ? type.getFields()[name] : undefined;
    if (definition === undefined) return FREE;
    const place = `${type.name}.${name}`;
    const inner = getNamedType(definition.type);
    const size = sizeOf(node, definition, place);
    const objects = isCompositeType(inner) ? 1 : 0;
    const below =
      node.selectionSet && isCompositeType(inner)
        ? set(node.selectionSet, inner, size !== null && size.fields !== null ? size : null)
        : FREE;
    const each = rules.weights.get(inner.name) ?? objects;
    const own = (rules.weights.get(place) ?? 0) + argumentsCost(rules, node, place);
    const isList = isListType(getNullableType(definition.type));
    if (own === 0 && each === 0 && below === FREE) return FREE;
    const length = isList ? lengthOf(name, size, sized) : null;
    return (variables) => own + (length === null ? 1 : length(variables)) * (each + below(variables));
  }

  function lengthOf(name: string, size: Sized | null, sized: Sized | null): OperationCost {
    if (sized?.fields?.(name)) return sized.length;
    return size !== null && size.fields === null ? size.length : () => listSize;
  }

  function sizeOf(node: FieldNode, definition: GraphQLField<unknown, unknown>, place: string): Sized | null {
    const rule = rules.sizes.get(place) ?? usualSize(definition);
    if (rule === null) return null;
    const given = rule.slicingArguments.map((argument) => slice(node, definition, argument));
    const unsaid = rule.assumedSize ?? listSize;
    const length: OperationCost = (variables) => {
      const values = given.map((one) => one(variables)).filter((value) => value !== null);
      return values.length === 0 ? unsaid : Math.max(0, ...values);
    };
    const { sizedFields } = rule;
    if (sizedFields.length > 0) return { length, fields: (name) => sizedFields.includes(name) };
    const isList = isListType(getNullableType(definition.type));
    return { length, fields: isList ? null : () => true };
  }

  function slice(node: FieldNode, definition: GraphQLField<unknown, unknown>, argument: string) {
    const value = node.arguments?.find(({ name }) => name.value === argument)?.value;
    const unsaid = definition.args.find(({ name }) => name === argument)?.defaultValue;
    const fallback = typeof unsaid === 'number' ? unsaid : null;
    if (value?.kind === Kind.INT) return () => Number(value.value);
    if (value?.kind !== Kind.VARIABLE) return () => (value === undefined ? fallback : null);
    const name = value.name.value;
    return (variables: Variables): number | null => {
      const given = Object.hasOwn(variables, name) ? variables[name] : (defaults.get(name) ?? fallback);
      return typeof given === 'number' ? given : null;
    };
  }

  const root = schema.getRootType(operation.operation);
  return root ? set(operation.selectionSet, root, null) : FREE;
}

/** `fields` are the lists below a field that are as long as it says; null where it is itself the list. */
type Sized = { length: OperationCost; fields: ((name: string) => boolean) | null };

const FREE: OperationCost = () => 0;

function sum(costs: readonly OperationCost[]): OperationCost {
  if (costs.length === 0) return FREE;
  return (variables) => {
    let total = 0;
    for (const cost of costs) total += cost(variables);
    return total;
  };
}

function usualSize({ args }: GraphQLField<unknown, unknown>): ListSize | null {
  const slicingArguments = args.map(({ name }) => name).filter((name) => USUAL_SLICING.includes(name));
  if (slicingArguments.length === 0) return null;
  return { assumedSize: null, slicingArguments, sizedFields: [], requireOneSlicingArgument: false };
}

function argumentsCost({ weights }: CostRules, { arguments: given = [] }: FieldNode, place: string): number {
  return given.reduce((total, { name }) => total + (weights.get(`${place}(${name.value})`) ?? 0), 0);
}
