import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isListType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { isInherited } from './json-value.ts';
import { leafTest } from './leaf-values.ts';
import type { FieldShape, ObjectShape, ValueShape } from './response-shape.ts';

export type ShapeSource = {
  schema: GraphQLSchema;
  operation: OperationDefinitionNode;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Values of the variables that conditions name, with their defaults. */
  conditions: Readonly<Record<string, unknown>>;
  denied: DeniedFields;
};

/** What the caller may not have, whatever subgraphs have sent of it. */
export type DeniedFields = ReadonlySet<FieldNode>;

/** A selection set and the type whose fields it names. */
type Selected = { selectionSet: SelectionSetNode; type: GraphQLCompositeType };
type Group = { nodes: FieldNode[]; selected: Selected[]; definedBy: GraphQLCompositeType; reportedAs: string };

export function compileShape(source: ShapeSource): ObjectShape {
  const { schema, operation } = source;
  const type = schema.getRootType(operation.operation);
  if (!type) throw new Error(`The schema has no type for a ${operation.operation}`);
  return objectShape(source, type, [{ selectionSet: operation.selectionSet, type }]);
}

/** The shape of a part of an operation, which the planner gives as text. */
export function compilePartShape(source: ShapeSource, type: GraphQLCompositeType, selection: string): ObjectShape {
  const [definition] = parse(selection, { noLocation: true }).definitions;
  if (definition?.kind !== Kind.OPERATION_DEFINITION) throw new Error('A part of an operation is a selection set');
  return objectShape(source, type, [{ selectionSet: definition.selectionSet, type }]);
}

function objectShape(source: ShapeSource, type: GraphQLCompositeType, selected: readonly Selected[]): ObjectShape {
  const byType = new Map<string, readonly FieldShape[]>();
  return {
    declaredType: type.name,
    fieldsOf(typename) {
      let fields = byType.get(typename);
      if (fields !== undefined) return fields;
      const runtimeType = typename === '' ? type : source.schema.getType(typename);
      if (!isCompositeType(runtimeType)) return null;
      fields = fieldShapes(source, runtimeType, selected);
      byType.set(typename, fields);
      return fields;
    },
  };
}

function fieldShapes(
  source: ShapeSource,
  runtimeType: GraphQLCompositeType,
  selected: readonly Selected[],
): readonly FieldShape[] {
  const groups = new Map<string, Group>();
  for (const { selectionSet, type } of selected) {
    collect(source, runtimeType, selectionSet, type, runtimeType.name, groups);
  }
  return [...groups].map(([name, group]) => fieldShape(source, name, group));
}

function collect(
  source: ShapeSource,
  runtimeType: GraphQLCompositeType,
  selectionSet: SelectionSetNode,
  definedBy: GraphQLCompositeType,
  reportedAs: string,
  groups: Map<string, Group>,
): void {
  for (const selection of selectionSet.selections) {
    if (isSkipped(selection, source.conditions)) continue;
    if (selection.kind === Kind.FIELD) {
      addField(selection, definedBy, reportedAs, groups);
      continue;
    }
    const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : source.fragments.get(selection.name.value);
    if (fragment === undefined) continue;
    const condition = fragment.typeCondition && source.schema.getType(fragment.typeCondition.name.value);
    if (condition === undefined) {
      collect(source, runtimeType, fragment.selectionSet, definedBy, reportedAs, groups);
    } else if (isCompositeType(condition) && applies(source.schema, condition, runtimeType)) {
      collect(source, runtimeType, fragment.selectionSet, condition, condition.name, groups);
    }
  }
}

function applies(schema: GraphQLSchema, condition: GraphQLCompositeType, type: GraphQLCompositeType): boolean {
  if (condition === type) return true;
  return isAbstractType(condition) && 'getFields' in type && schema.isSubType(condition, type);
}

function addField(
  node: FieldNode,
  definedBy: GraphQLCompositeType,
  reportedAs: string,
  groups: Map<string, Group>,
): void {
  const name = node.alias?.value ?? node.name.value;
  let group = groups.get(name);
  if (group === undefined) {
    group = { nodes: [], selected: [], definedBy, reportedAs };
    groups.set(name, group);
  }
  group.nodes.push(node);
  const type = getNamedType(fieldType(definedBy, node.name.value));
  if (node.selectionSet && isCompositeType(type)) group.selected.push({ selectionSet: node.selectionSet, type });
}

const fieldType = (type: GraphQLCompositeType, name: string): GraphQLOutputType | undefined =>
  'getFields' in type ? type.getFields()[name]?.type : undefined;

function fieldShape(source: ShapeSource, name: string, group: Group): FieldShape {
  const [node] = group.nodes;
  const fieldName = node?.name.value ?? '';
  const base: Pick<FieldShape, 'name' | 'inherited' | 'coordinate'> = {
    name,
    inherited: isInherited(name),
    coordinate: `field ${group.reportedAs}.${name}`,
  };
  if (fieldName === '__typename') return { ...base, kind: 'typename', parentType: group.reportedAs };
  if (fieldName === '__schema' || fieldName === '__type') return { ...base, kind: 'introspection', nodes: group.nodes };
  const type = fieldType(group.definedBy, fieldName);
  if (type === undefined) throw new Error(`${group.definedBy.name} has no field ${fieldName}`);
  if (source.denied.size > 0 && group.nodes.some((one) => source.denied.has(one))) {
    const denied = { parentType: group.definedBy, fieldName };
    return { ...base, kind: 'denied', ...denied, nonNull: isNonNullType(type) };
  }
  return { ...base, kind: 'value', value: valueShape(source, type, group.selected) };
}

function valueShape(source: ShapeSource, type: GraphQLOutputType, selected: readonly Selected[]): ValueShape {
  const nonNull = isNonNullType(type);
  const inner: GraphQLOutputType = nonNull ? type.ofType : type;
  const base = { type: inner, name: String(inner), nonNull };
  if (isListType(inner)) return { ...base, kind: 'list', item: valueShape(source, inner.ofType, selected) };
  if (isCompositeType(inner)) return { ...base, kind: 'object', object: objectShape(source, inner, selected) };
  return { ...base, kind: 'leaf', isValid: leafTest(inner) };
}

function isSkipped(selection: SelectionNode, conditions: ShapeSource['conditions']): boolean {
  for (const directive of selection.directives ?? []) {
    if (directive.name.value === 'skip' && conditionOf(directive, conditions)) return true;
    if (directive.name.value === 'include' && !conditionOf(directive, conditions)) return true;
  }
  return false;
}

function conditionOf(directive: DirectiveNode, conditions: ShapeSource['conditions']): boolean {
  const value = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
  if (value?.kind === Kind.BOOLEAN) return value.value;
  const condition = value?.kind === Kind.VARIABLE ? conditions[value.name.value] : undefined;
  if (typeof condition === 'boolean') return condition;
  throw new Error(`Unexpected value ${String(condition)} for a condition of @${directive.name.value}`);
}
