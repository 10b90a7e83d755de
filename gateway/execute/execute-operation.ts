import { executeSync, type FieldNode, GraphQLError, Kind } from 'graphql';
import type { JsonObject } from './json-value.ts';
import type { PreparedOperation } from './prepare-operation.ts';
import type { FieldShape } from './response-shape.ts';
import type { Execution } from './run-fetch.ts';
import { runPlan } from './run-plan.ts';
import { shapeResponse } from './shape-response.ts';
import type { SubgraphSources } from './subgraph-answer.ts';

export type ExecutionInput<Context> = {
  sources: SubgraphSources<Context>;
  context: Context;
  variables: Readonly<Record<string, unknown>>;
};

export type ExecutionResult = {
  data?: JsonObject | null;
  errors?: readonly GraphQLError[];
  extensions?: { valueCompletion: readonly GraphQLError[] };
};

export async function executeOperation<Context>(
  prepared: PreparedOperation,
  input: ExecutionInput<Context>,
): Promise<ExecutionResult> {
  const conditions = prepared.conditionsOf(input.variables);
  const root: JsonObject = {};
  const run: Execution<Context> = { ...input, conditions, isOfType: prepared.federation.isOfType, errors: [] };
  if (prepared.step !== null) await runPlan(prepared.step, { path: [], objects: [root], root }, run);
  return completeResponse(prepared, root, run);
}

export function completeResponse<Context>(
  prepared: PreparedOperation,
  root: JsonObject,
  { conditions, variables, errors }: Execution<Context>,
): ExecutionResult {
  try {
    const shaped = shapeResponse(prepared.shapeOf(conditions), root, {
      schema: prepared.federation.schema,
      introspect: (field) => introspect(prepared, field, variables),
    });
    if (errors.length > 0) return { errors: errors as GraphQLError[], data: shaped.data };
    if (shaped.errors.length === 0) return { data: shaped.data };
    return { data: shaped.data, extensions: { valueCompletion: shaped.errors } };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    return { errors: [new GraphQLError((error as Error).message, { originalError: error as Error })] };
  }
}

function introspect(
  { federation, operation, fragments }: PreparedOperation,
  { name, nodes }: Extract<FieldShape, { kind: 'introspection' }>,
  variableValues: Readonly<Record<string, unknown>>,
): unknown {
  const selections: readonly FieldNode[] = nodes;
  const { data, errors } = executeSync({
    schema: federation.schema,
    document: {
      kind: Kind.DOCUMENT,
      definitions: [
        { ...operation, directives: [], selectionSet: { kind: Kind.SELECTION_SET, selections } },
        ...fragments.values(),
      ],
    },
    rootValue: {},
    variableValues,
  });
  const [error] = errors ?? [];
  if (error) throw error;
  return data?.[name];
}
