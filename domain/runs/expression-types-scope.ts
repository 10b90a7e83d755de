import { isJsonObject, type Json } from '../json.ts';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from './definition.ts';
import { environment } from './expression-environment.ts';
import {
  DYN,
  elementOf,
  listOf,
  NULL,
  nullable,
  NUMBER,
  objectOf,
  STRING,
  typeOfSchema,
  typeOfValue,
  unionOf,
  type ValueType,
} from './expression-types.ts';
import { inferType, type TypeFault, type TypeScope } from './expression-types-infer.ts';
import { ERROR_TYPE, outputOfType } from './expression-types-outputs.ts';

export type DefinitionTypes = {
  /** What may be read where a node's config stands, or in the workflow's output (null). */
  scopeOf: (nodeId: string | null) => TypeScope;
  /** The same inside of the body of a container, or after a node for its undo. */
  scopeInside: (nodeId: string) => TypeScope;
  scopeAfter: (nodeId: string) => TypeScope;
  outputOf: (nodeId: string) => ValueType;
};

/** The type of an expression; `dyn` where it cannot be parsed, which others report. */
export function typeOfExpression(text: string, scope: TypeScope, fault: (fault: TypeFault) => void): ValueType {
  try {
    return inferType(environment.parse(text).ast, { ...scope, fault });
  } catch {
    return DYN;
  }
}

const ignore = (): void => undefined;

/** Types of a definition whose graph is sound; each node's output is inferred once, when it is asked for. */
export function typesOf(definition: WorkflowDefinition): DefinitionTypes {
  const nodes = new Map(definition.nodes.map((node) => [node.id, node]));
  const outputs = new Map<string, ValueType>();
  const root = rootVariables(definition);
  const incoming = Map.groupBy(definition.edges, (edge) => edge.to);

  const outputOf = (id: string): ValueType => {
    const known = outputs.get(id);
    if (known) return known;
    const node = nodes.get(id);
    if (node === undefined) return DYN;
    outputs.set(id, DYN);
    const output = outputOfNode(node, types, incoming.get(id) ?? []);
    outputs.set(id, output);
    return output;
  };
  const viewOf = (id: string): ValueType | undefined => (nodes.has(id) ? nodeView(outputOf(id)) : undefined);
  const bindings = bindingsOf(nodes, (id, text) => typeOfExpression(text, types.scopeOf(id), ignore));
  const scope = (body: string | undefined): TypeScope => {
    const own = bindings(body);
    return { node: viewOf, variable: (name) => own.get(name) ?? root.get(name) };
  };
  const types: DefinitionTypes = {
    outputOf,
    scopeOf: (id) => scope(id === null ? undefined : nodes.get(id)?.parent),
    scopeInside: scope,
    scopeAfter: (id) => scope(nodes.get(id)?.parent),
  };
  return types;
}

/** What containers bind in their bodies, the inner ones over the outer ones. */
function bindingsOf(
  nodes: ReadonlyMap<string, NodeDefinition>,
  typeOf: (container: string, text: string) => ValueType,
): (body: string | undefined) => ReadonlyMap<string, ValueType> {
  const known = new Map<string, ReadonlyMap<string, ValueType>>();
  const bindingsIn = (body: string | undefined): ReadonlyMap<string, ValueType> => {
    const node = body === undefined ? undefined : nodes.get(body);
    if (node === undefined) return new Map();
    const found = known.get(node.id);
    if (found) return found;
    known.set(node.id, new Map());
    const bindings = new Map(bindingsIn(node.parent));
    if (node.type === 'map') {
      const items = node.config?.['items'];
      bindings.set('item', typeof items === 'string' ? elementOf(typeOf(node.id, items)) : DYN);
      bindings.set('index', NUMBER);
    }
    if (node.type === 'loop') bindings.set('pass', objectOf({ index: NUMBER, state: DYN }));
    known.set(node.id, bindings);
    return bindings;
  };
  return bindingsIn;
}

/** Variables may be given any value by people, so that their names alone are known. */
function rootVariables({ input, variables }: WorkflowDefinition): ReadonlyMap<string, ValueType> {
  const names = isJsonObject(variables) ? Object.keys(variables) : [];
  return new Map<string, ValueType>([
    ['input', typeOfSchema(input)],
    ['run', objectOf({ workflow: STRING, webhooks: objectOf({}, STRING) }, DYN)],
    ['vars', objectOf(Object.fromEntries(names.map((name) => [name, DYN])))],
  ]);
}

/** Fields that a node does not have are for the validation of references to name. */
function nodeView(output: ValueType): ValueType {
  return objectOf(
    { output: nullable(output), status: STRING, port: nullable(STRING), error: nullable(ERROR_TYPE) },
    DYN,
  );
}

function outputOfNode(node: NodeDefinition, types: DefinitionTypes, incoming: readonly EdgeDefinition[]): ValueType {
  const output = successOutput(node, types, incoming);
  if (node.onError === 'route') return unionOf([output, objectOf({ error: ERROR_TYPE })]);
  if (node.onError !== 'continue') return output;
  return unionOf([output, node.fallback === undefined ? NULL : mappingType(node.fallback, types.scopeOf(node.id))]);
}

function successOutput(node: NodeDefinition, types: DefinitionTypes, incoming: readonly EdgeDefinition[]): ValueType {
  const config = node.config ?? {};
  const scope = types.scopeOf(node.id);
  switch (node.type) {
    case 'transform':
      return mappingType(config['value'], scope);
    case 'set':
      return mappingType(config['values'], scope);
    case 'merge':
      return mergeType(config['mode'], [...new Set(incoming.map((edge) => edge.from))], types);
    case 'map': {
      const result = config['result'] === undefined ? DYN : mappingType(config['result'], types.scopeInside(node.id));
      return objectOf({
        results: listOf(nullable(result)),
        failed: listOf(objectOf({ index: NUMBER, error: ERROR_TYPE })),
      });
    }
    case 'loop':
      return objectOf({ iterations: NUMBER, state: DYN });
    case 'try': {
      const result = config['result'] === undefined ? DYN : mappingType(config['result'], types.scopeInside(node.id));
      return unionOf([result, objectOf({ error: ERROR_TYPE })]);
    }
    default:
      return outputOfType(node.type, config);
  }
}

function mergeType(mode: Json | undefined, from: readonly string[], types: DefinitionTypes): ValueType {
  const outputs = from.map((id) => [id, nullable(types.outputOf(id))] as const);
  if (mode === 'first') return unionOf(outputs.map(([, output]) => output));
  if (mode === 'list') return listOf(unionOf(outputs.map(([, output]) => output)));
  return objectOf(Object.fromEntries(outputs));
}

function mappingType(mapping: Json | undefined, scope: TypeScope): ValueType {
  if (typeof mapping === 'string') {
    const type = typeOfExpression(mapping, scope, ignore);
    return type.kind === 'optional' ? nullable(type.of) : type;
  }
  if (!isJsonObject(mapping)) return mapping === undefined ? DYN : typeOfValue(mapping);
  return objectOf(Object.fromEntries(Object.entries(mapping).map(([key, inner]) => [key, mappingType(inner, scope)])));
}
