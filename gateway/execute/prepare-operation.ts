import { ERRORS } from '@apollo/federation-internals';
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import { withoutFields } from '../access-needs.ts';
import { compileFetch, compilePlan, type FetchStep, type PlanStep } from './compile-plan.ts';
import { compileShape, type DeniedFields } from './compile-shape.ts';
import type { Federation, PlanOptions } from './federation.ts';
import type { ObjectShape } from './response-shape.ts';

export type PreparedOperation = {
  federation: Federation;
  operation: OperationDefinitionNode;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  step: PlanStep | null;
  /** What a subscription asks of its subgraph; `step` then runs for each event. */
  primary: FetchStep | null;
  /** The caller's variables that decide what is included, with the operation's defaults. */
  conditionsOf: (variables: Readonly<Record<string, unknown>>) => Record<string, unknown>;
  shapeOf: (conditions: Record<string, unknown>) => ObjectShape;
};

const NONE: DeniedFields = new Set();

/** Plans a valid document once; what comes out runs any number of times. Denied fields are not asked for. @throws GraphQLError */
export function prepareOperation(
  federation: Federation,
  document: DocumentNode,
  options: PlanOptions = {},
  denied: DeniedFields = NONE,
): PreparedOperation {
  const operation = operationOf(document, options.operationName);
  const { node } = federation.plan(denied.size > 0 ? withoutFields(document, denied) : document, options);
  const fragments = new Map(
    document.definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const names = conditionVariables(document);
  const defaults = defaultsOf(operation);
  const shapes = new Map<string, ObjectShape>();
  const subscribes = node?.kind === 'Subscription';
  return {
    federation,
    operation,
    fragments,
    step: compilePlan(subscribes ? node.rest : node),
    primary: subscribes ? compileFetch(node.primary) : null,
    conditionsOf: (variables) =>
      Object.fromEntries(
        names.map((name) => [name, Object.hasOwn(variables, name) ? variables[name] : defaults.get(name)]),
      ),
    shapeOf(conditions) {
      const key = names.map((name) => (conditions[name] === true ? '1' : '0')).join('');
      let shape = shapes.get(key);
      if (shape === undefined) {
        shape = compileShape({ schema: federation.schema, operation, fragments, conditions, denied });
        // Each is small, but n conditions have 2^n of them.
        if (shapes.size < 64) shapes.set(key, shape);
      }
      return shape;
    },
  };
}

export function operationOf(document: DocumentNode, operationName: string | undefined): OperationDefinitionNode {
  const operations = document.definitions.filter(
    (one): one is OperationDefinitionNode => one.kind === Kind.OPERATION_DEFINITION,
  );
  if (!operationName && operations.length > 1) {
    throw ERRORS.INVALID_GRAPHQL.err('Must provide operation name if query contains multiple operations.');
  }
  const found = operationName ? operations.find((one) => one.name?.value === operationName) : operations[0];
  if (found !== undefined) return found;
  throw ERRORS.INVALID_GRAPHQL.err(
    operationName ? `Unknown operation named "${operationName}".` : 'Must provide an operation.',
  );
}

function conditionVariables(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive(directive) {
      if (!['skip', 'include', 'defer'].includes(directive.name.value)) return false;
      for (const { name, value } of directive.arguments ?? []) {
        if (name.value === 'if' && value.kind === Kind.VARIABLE) names.add(value.name.value);
      }
      return false;
    },
  });
  return [...names];
}

function defaultsOf({ variableDefinitions = [] }: OperationDefinitionNode): Map<string, unknown> {
  return new Map(
    variableDefinitions.flatMap(({ variable, defaultValue }) =>
      defaultValue ? [[variable.name.value, valueFromASTUntyped(defaultValue)] as const] : [],
    ),
  );
}
