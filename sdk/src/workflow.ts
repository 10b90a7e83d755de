import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { AppError } from '../../domain/errors.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type {
  EdgeDefinition,
  NodeDefinition,
  NodeTimeouts,
  RetryPolicy,
  RunPolicies,
  WorkflowDefinition,
} from '../../domain/runs/definition.ts';
import type { NodeType } from '../../domain/runs/node-types.ts';
import type { RunError } from '../../domain/runs/run-event.ts';
import type { NodeStatus } from '../../domain/runs/run-status.ts';
import { validateDefinition } from '../../domain/runs/validate.ts';
import type { ConfigOf, MappingInput, OutputOf, PortOf } from './node-config.ts';
import { printConfig, printMapping } from './print-config.ts';
import { ref, type Ref } from './reference.ts';

// oxlint-disable-next-line typescript/no-generated-empty-object-type -- the set of ids that is empty at first.
type NoNodes = Record<never, never>;
type NodeTypes = { [id: string]: { type: NodeType; output: unknown } };
type Added<Nodes, Id extends string, Type extends NodeType, Output> = Nodes & {
  [Key in Id]: { type: Type; output: Output };
};

/** What expressions of a node may read: the input, and the nodes added before. */
export type References<Input, Nodes extends NodeTypes> = {
  readonly input: Ref<Input>;
  /** Outputs by node id. */
  readonly nodes: { readonly [Id in keyof Nodes]: Ref<Nodes[Id]['output']> };
  /** How nodes came out, by node id. */
  readonly states: {
    readonly [Id in keyof Nodes]: Ref<{
      status: NodeStatus;
      port: PortOf<Nodes[Id]['type']> | null;
      error: RunError | null;
    }>;
  };
  readonly run: Ref<{ workflow: string }>;
};

declare const outputType: unique symbol;
/** Says what a node gives where that cannot be told, as of `merge`. */
export type OutputType<Type> = { readonly [outputType]?: Type };

/**
 * The type of a node's output, for `node(..., { output: gives<{ text: string }>() })`.
 *
 * @example
 * ```ts
 * workflow('either')
 *   .node('one', 'transform', { value: { text: '"one"' } })
 *   .node('all', 'merge', { mode: 'first' }, { output: gives<{ text: string }>() })
 *   .edge('one', 'all')
 *   .output(({ nodes }) => nodes.all.text)
 *   .build();
 * ```
 */
export const gives = <Type>(): OutputType<Type> => ({});

export type NodeOptions<Output> = {
  /** What people read; default is the id. */
  name?: string;
  retry?: RetryPolicy;
  timeouts?: NodeTimeouts;
  taskQueue?: string;
  output?: OutputType<Output>;
};

/** Refuses fields that the shape does not have, which TypeScript does not do for what a function returns. */
type Exactly<Given, Shape> = Given & { readonly [Name in Exclude<keyof Given, keyof Shape>]: never };
type NewId<Id, Nodes> = Id extends keyof Nodes ? `there is a node ${Id & string} already` : Id;
type PortArgument<Type extends NodeType> = PortOf<Type> extends 'out' ? [port?: 'out'] : [port: PortOf<Type>];

/** A workflow as it is being written; every step gives a new builder that knows one thing more. */
export interface WorkflowBuilder<Input, Nodes extends NodeTypes> {
  describe(description: string): WorkflowBuilder<Input, Nodes>;

  /** JSON Schema (draft 2020-12) of the run's input; references of `input` have its types. */
  input<const Schema extends JSONSchema>(schema: Schema): WorkflowBuilder<FromSchema<Schema>, Nodes>;

  /**
   * Adds a node. Its config may be made by a function of references to the input and to nodes added before.
   *
   * @example
   * ```ts
   * workflow('fetch')
   *   .node('page', 'http', { url: 'https://example.org/' }, { retry: { maximumAttempts: 3 } })
   *   .node('status', 'transform', ({ nodes }) => ({ value: nodes.page.status }))
   *   .edge('page', 'status')
   *   .build();
   * ```
   */
  node<
    const Id extends string,
    const Type extends NodeType,
    const Config extends ConfigOf<Type>,
    Output = OutputOf<Type, Config>,
  >(
    id: NewId<Id, Nodes>,
    type: Type,
    config:
      Exactly<Config, ConfigOf<Type>> | ((references: References<Input, Nodes>) => Exactly<Config, ConfigOf<Type>>),
    options?: NodeOptions<Output>,
  ): WorkflowBuilder<Input, Added<Nodes, Id, Type, Output>>;

  /** Leads from a node to another; a type with several ports needs the port that the edge leaves by. */
  edge<From extends keyof Nodes & string>(
    from: From,
    to: Exclude<keyof Nodes & string, From>,
    ...port: PortArgument<Nodes[From]['type']>
  ): WorkflowBuilder<Input, Nodes>;

  /** What a completed run returns. */
  output(
    mapping: MappingInput | ((references: References<Input, Nodes>) => MappingInput),
  ): WorkflowBuilder<Input, Nodes>;
  policies(policies: RunPolicies): WorkflowBuilder<Input, Nodes>;
  metadata(metadata: JsonObject): WorkflowBuilder<Input, Nodes>;

  /**
   * The definition, as it would be written by hand.
   * @throws AppError DEFINITION_INVALID with all `problems`
   */
  build(): WorkflowDefinition;
}

/**
 * Begins a workflow. `build()` gives the same JSON as a definition written by hand.
 *
 * @example
 * ```ts
 * const definition = workflow('hello')
 *   .input({ type: 'object', required: ['name'], properties: { name: { type: 'string' } } })
 *   .node('greet', 'template', ({ input }) => ({ template: text`Hello ${input.name}` }))
 *   .output(({ nodes }) => ({ greeting: nodes.greet }))
 *   .build();
 * ```
 */
export function workflow(name: string): WorkflowBuilder<Json, NoNodes> {
  return builder({ name, nodes: [], edges: [] }) as unknown as WorkflowBuilder<Json, NoNodes>;
}

/** The types live in the interface alone; underneath there is one kind of builder. */
type AnyBuilder = { [Method in keyof WorkflowBuilder<Json, NodeTypes>]: (...values: never[]) => unknown };

function builder(draft: WorkflowDefinition): AnyBuilder {
  const extend = (change: Partial<WorkflowDefinition>): AnyBuilder => builder({ ...draft, ...change });
  return {
    describe: (description: string) => extend({ description }),
    input: (schema: JsonObject) => extend({ input: schema }),
    policies: (policies: RunPolicies) => extend({ policies }),
    metadata: (metadata: JsonObject) => extend({ metadata }),
    node: (id: string, type: NodeType, config: unknown, options: NodeOptions<unknown> = {}) =>
      extend({ nodes: [...draft.nodes, nodeOf(id, type, resolve(config, draft), options)] }),
    edge: (from: string, to: string, port?: string) => extend({ edges: [...draft.edges, edgeOf(from, to, port)] }),
    output: (mapping: unknown) => extend({ output: printMapping(resolve(mapping, draft)) }),
    build: () => {
      const definition = structuredClone(draft);
      const problems = validateDefinition(definition);
      if (problems.length === 0) return definition;
      throw new AppError('DEFINITION_INVALID', { count: problems.length, problems });
    },
  };
}

function resolve(value: unknown, draft: WorkflowDefinition): unknown {
  return typeof value === 'function' ? (value as (references: object) => unknown)(referencesOf(draft)) : value;
}

function referencesOf({ nodes }: WorkflowDefinition): object {
  const byId = (path: (id: string) => string[]) => Object.fromEntries(nodes.map(({ id }) => [id, ref(path(id))]));
  return {
    input: ref(['input']),
    run: ref(['run']),
    nodes: byId((id) => ['nodes', id, 'output']),
    states: byId((id) => ['nodes', id]),
  };
}

function nodeOf(id: string, type: NodeType, config: unknown, options: NodeOptions<unknown>): NodeDefinition {
  const { name, retry, timeouts, taskQueue } = options;
  return {
    id,
    type,
    config: printConfig(type, config as Readonly<Record<string, unknown>>),
    ...(name === undefined ? {} : { name }),
    ...(retry === undefined ? {} : { retry }),
    ...(timeouts === undefined ? {} : { timeouts }),
    ...(taskQueue === undefined ? {} : { taskQueue }),
  };
}

const edgeOf = (from: string, to: string, port: string | undefined): EdgeDefinition =>
  port === undefined ? { from, to } : { from, to, port };
