import { executeSync, type FieldNode, GraphQLError, Kind } from 'graphql';
import { refusal } from '../access-needs.ts';
import { type Caller, UNKNOWN } from '../access-policies.ts';
import type { JsonObject } from './json-value.ts';
import type { Keeping } from './kept-entities.ts';
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
  /** Undefined where everybody may have everything. */
  caller?: Caller | undefined;
  keeping?: Keeping | undefined;
  onPolicy?: Execution<Context>['onPolicy'];
  /** Whether nulls that may not be are told of also beside other errors, which the stock executor does not do. */
  tellsNulls?: boolean | undefined;
};

export type ExecutionResult = {
  data?: JsonObject | null;
  errors?: readonly GraphQLError[];
  extensions?: { valueCompletion?: readonly GraphQLError[]; operation?: Figures };
};

/** How large an operation was, for who asks for that. */
export type Figures = Readonly<Record<string, number>>;

export function withFigures(result: ExecutionResult, operation: Figures | undefined): ExecutionResult {
  return operation === undefined ? result : { ...result, extensions: { ...result.extensions, operation } };
}

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
  const shape = () => shapeResponse(prepared.shapeOf(run.conditions), root, shapingOf(prepared, run));
  return shapedResult(run.errors, shape, run.tellsNulls);
}

/** The result of what was fetched with some errors; what subgraphs sent may also be of no shape at all. */
export function shapedResult(
  errors: readonly unknown[],
  shape: () => ShapedResponse,
  tellsNulls = false,
): ExecutionResult {
  try {
    const shaped = shape();
    const told = shaped.refusals.length > 0 ? [...errors, ...shaped.refusals] : errors;
    if (told.length > 0) {
      const hidden = tellsNulls && shaped.errors.length > 0 ? { extensions: { valueCompletion: shaped.errors } } : {};
      return { errors: told as GraphQLError[], data: shaped.data, ...hidden };
    }
    if (shaped.errors.length === 0) return { data: shaped.data };
    return { data: shaped.data, extensions: { valueCompletion: shaped.errors } };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    return { errors: [new GraphQLError((error as Error).message, { originalError: error as Error })] };
  }
}

export function shapingOf<Context>(
  prepared: PreparedOperation,
  { variables, caller = UNKNOWN }: Pick<Execution<Context>, 'variables' | 'caller'>,
): Shaping {
  const { schema, rulesOf } = prepared.federation;
  return {
    schema,
    introspect: (field) => introspect(prepared, field, variables),
    refuse: ({ parentType, fieldName }, path) =>
      refusal(caller, { field: `${parentType.name}.${fieldName}`, rules: rulesOf(parentType, fieldName) }, path),
  };
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
