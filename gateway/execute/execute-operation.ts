import { executeSync, type FieldNode, GraphQLError, Kind } from 'graphql';
import type { JsonObject } from './json-value.ts';
import type { PreparedOperation } from './prepare-operation.ts';
import type { FieldShape } from './response-shape.ts';
import type { Execution } from './run-fetch.ts';
import { runPlan } from './run-plan.ts';
import { type ShapedResponse, shapeResponse, type Shaping } from './shape-response.ts';
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
  run: Execution<Context>,
): ExecutionResult {
  return shapedResult(run.errors, () =>
    shapeResponse(prepared.shapeOf(run.conditions), root, shapingOf(prepared, run.variables)),
  );
}

/** The result of what was fetched with some errors; what subgraphs sent may also be of no shape at all. */
export function shapedResult(errors: readonly unknown[], shape: () => ShapedResponse): ExecutionResult {
  try {
    const shaped = shape();
    if (errors.length > 0) return { errors: errors as GraphQLError[], data: shaped.data };
    if (shaped.errors.length === 0) return { data: shaped.data };
    return { data: shaped.data, extensions: { valueCompletion: shaped.errors } };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    return { errors: [new GraphQLError((error as Error).message, { originalError: error as Error })] };
  }
}

export function shapingOf(prepared: PreparedOperation, variables: Readonly<Record<string, unknown>>): Shaping {
  return { schema: prepared.federation.schema, introspect: (field) => introspect(prepared, field, variables) };
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
