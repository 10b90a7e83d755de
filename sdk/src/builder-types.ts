import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { NodeTimeouts, RetryPolicy, RunPolicies, WorkflowDefinition } from '../../domain/runs/definition.ts';
import type { NodeType } from '../../domain/runs/node-types.ts';
import type { RunError } from '../../domain/runs/run-event.ts';
import type { NodeStatus } from '../../domain/runs/run-status.ts';
import type {
  ActivityType,
  ConfigOf,
  ElementOf,
  Expression,
  MappedBy,
  MappingInput,
  OutputOf,
  PlainType,
  PortsOf,
} from './node-config.ts';
import type { Ref } from './reference.ts';

/** What a builder knows besides its nodes: whether it writes a workflow or a body, and what may be read in it. */
export type BuilderScope = {
  kind: 'workflow' | 'map' | 'loop' | 'try';
  input: unknown;
  variables: object;
  /** `item` and `index` of a map, `pass` of a loop. */
  bindings: object;
  /** What `output` or `result` gives. */
  output: unknown;
};
export type NodeEntry = { type: NodeType; output: unknown; ports: string };
export type NodeEntries = { [id: string]: NodeEntry };

type With<Scope extends BuilderScope, Change> = Omit<Scope, keyof Change> & Change extends infer Changed extends
  BuilderScope
  ? Changed
  : never;
type BodyScope<Scope extends BuilderScope, Kind extends BuilderScope['kind'], Bindings extends object> = With<
  Scope,
  { kind: Kind; bindings: Omit<Scope['bindings'], keyof Bindings> & Bindings; output: Json }
>;
type Added<Nodes, Id extends string, Entry extends NodeEntry> = Nodes & { [Key in Id]: Entry };

/** What expressions of a node may read: the input, variables, and the nodes added before. */
export type References<Scope extends BuilderScope, Nodes extends NodeEntries> = {
  readonly input: Ref<Scope['input']>;
  /** Outputs by node id. */
  readonly nodes: { readonly [Id in keyof Nodes]: Ref<Nodes[Id]['output']> };
  /** How nodes came out, by node id. */
  readonly states: {
    readonly [Id in keyof Nodes]: Ref<{ status: NodeStatus; port: Nodes[Id]['ports'] | null; error: RunError | null }>;
  };
  readonly vars: { readonly [Name in keyof Scope['variables']]: Ref<Scope['variables'][Name]> };
  readonly run: Ref<{ workflow: string; webhooks: { [nodeId: string]: string } }>;
} & { readonly [Name in keyof Scope['bindings']]: Ref<Scope['bindings'][Name]> };

declare const outputType: unique symbol;
/** Says what a node gives where that cannot be told, as of `merge`. */
export type OutputType<Type> = { readonly [outputType]?: Type };

type OnError = 'fail' | 'continue' | 'route';
export type NodeOptions<Output, Policy extends OnError = OnError, Readable = never> = {
  /** What people read; default is the id. */
  name?: string;
  retry?: RetryPolicy;
  timeouts?: NodeTimeouts;
  taskQueue?: string;
  /** What a failure for good does; `route` adds the port `error`. */
  onError?: Policy;
  /** The output after a failure with `onError: 'continue'`. */
  fallback?: MappingInput | ((references: Readable) => MappingInput);
  /** Whether it may share a local activity with its neighbours. */
  fuse?: boolean;
  /** Whether a rerun of what has changed may take over an earlier result; default `same`. */
  reuse?: 'same' | 'always' | 'never';
  output?: OutputType<Output>;
};
export type UndoOptions = { name?: string; retry?: RetryPolicy; timeouts?: NodeTimeouts; taskQueue?: string };

/** Refuses fields that the shape does not have, which TypeScript does not do for what a function returns. */
type Exactly<Given, Shape> = Given & { readonly [Name in Exclude<keyof Given, keyof Shape>]: never };
type NewId<Id, Nodes> = Id extends keyof Nodes ? `there is a node ${Id & string} already` : Id;
type PortArgument<Ports extends string> = [Ports] extends [never]
  ? [port: never]
  : [Ports] extends ['out']
    ? [port?: 'out']
    : [port: Ports];
type ConfigIn<Type extends PlainType, Scope extends BuilderScope> = Type extends 'set'
  ? { readonly values: { readonly [Name in keyof Scope['variables']]?: MappingInput } }
  : ConfigOf<Type>;
/** Variables that were not declared, which a type with optional fields alone does not refuse. */
type Undeclared<Type extends PlainType, Config, Scope extends BuilderScope> = Type extends 'set'
  ? Config extends { readonly values: infer Values }
    ? { readonly values: { readonly [Name in Exclude<keyof Values, keyof Scope['variables']>]: never } }
    : unknown
  : unknown;
type Checked<Type extends PlainType, Config, Scope extends BuilderScope> = Exactly<Config, ConfigIn<Type, Scope>> &
  Undeclared<Type, Config, Scope>;

/** Only in the body of a container of the kind. */
type In<Scope extends BuilderScope, Kind extends BuilderScope['kind'], Method> = Scope['kind'] extends Kind
  ? Method
  : never;
type Given<Readable, Value> = Value | ((references: Readable) => Value);

declare const scopeType: unique symbol;
export type BodyOutput<Inner> = Inner extends { readonly [scopeType]?: infer Scope extends BuilderScope }
  ? Scope['output']
  : never;
export type MapOutput<Result> = { results: (Result | null)[]; failed: { index: number; error: RunError }[] };

/** A workflow, or the body of a container, as it is being written; every step gives a new builder that knows one thing more. */
export interface Builder<Scope extends BuilderScope, Nodes extends NodeEntries, Own extends string> {
  readonly [scopeType]?: Scope;

  describe: In<Scope, 'workflow', (description: string) => Builder<Scope, Nodes, Own>>;

  /** JSON Schema (draft 2020-12) of the run's input; references of `input` have its types. */
  input: In<
    Scope,
    'workflow',
    <const Schema extends JSONSchema>(schema: Schema) => Builder<With<Scope, { input: FromSchema<Schema> }>, Nodes, Own>
  >;

  /** Variables and their first values; `set` nodes change them, expressions read them as `vars`. */
  variables: In<
    Scope,
    'workflow',
    <Variables extends JsonObject>(variables: Variables) => Builder<With<Scope, { variables: Variables }>, Nodes, Own>
  >;

  /**
   * Adds a node. Its config may be made by a function of references to the input and to nodes added before.
   *
   * @example
   * ```ts
   * workflow('fetch')
   *   .node('page', 'http', { url: 'https://example.org/' }, { retry: { maximumAttempts: 3 }, onError: 'route' })
   *   .node('status', 'transform', ({ nodes }) => ({ value: nodes.page.status }))
   *   .node('why', 'transform', ({ states }) => ({ value: states.page.error.message }))
   *   .edge('page', 'status', 'out')
   *   .edge('page', 'why', 'error')
   *   .build();
   * ```
   */
  node<
    const Id extends string,
    const Type extends PlainType,
    const Config extends ConfigIn<Type, Scope>,
    Output = OutputOf<Type, Config>,
    const Policy extends OnError = 'fail',
  >(
    id: NewId<Id, Nodes>,
    type: Type,
    config: Given<References<Scope, Nodes>, Checked<Type, Config, Scope>>,
    options?: NodeOptions<Output, Policy, References<Scope, Nodes>>,
  ): Builder<Scope, Added<Nodes, Id, { type: Type; output: Output; ports: PortsOf<Type, Config, Policy> }>, Own | Id>;

  /**
   * Runs a body once for each item of a list. The body reads `item` and `index`; its `result` says what an item gives.
   *
   * @example
   * ```ts
   * workflow('greet-all')
   *   .input({ type: 'object', required: ['names'], properties: { names: { type: 'array', items: { type: 'string' } } } })
   *   .map('each', ({ input }) => ({ items: input.names, concurrency: 5 }), (body) =>
   *     body
   *       .node('greet', 'template', ({ item }) => ({ template: text`Hello ${item}` }))
   *       .result(({ nodes, index }) => ({ greeting: nodes.greet, index })),
   *   )
   *   .output(({ nodes }) => nodes.each.results)
   *   .build();
   * ```
   */
  map<const Id extends string, const Config extends ConfigOf<'map'>, Inner, const Policy extends OnError = 'fail'>(
    id: NewId<Id, Nodes>,
    config: Given<References<Scope, Nodes>, Exactly<Config, ConfigOf<'map'>>>,
    body: (
      body: Builder<BodyScope<Scope, 'map', { item: ElementOf<Config['items']>; index: number }>, Nodes, never>,
    ) => Inner,
    options?: NodeOptions<never, Policy, References<Scope, Nodes>>,
  ): Builder<
    Scope,
    Added<Nodes, Id, { type: 'map'; output: MapOutput<BodyOutput<Inner>>; ports: PortsOf<'map', Config, Policy> }>,
    Own | Id
  >;

  /**
   * Runs a body again and again, at most `maximumIterations` times. The body reads `pass.index` and `pass.state`; `next` gives the
   * state of the next pass, `while` is asked before a pass, `until` after it.
   *
   * @example
   * ```ts
   * workflow('poll')
   *   .loop('poll', { maximumIterations: 20, state: { done: cel<boolean>`false` }, onBound: 'route' }, (body) =>
   *     body
   *       .node('ask', 'http', { url: 'https://example.org/job' })
   *       .node('pause', 'delay', { durationMs: 1000 })
   *       .edge('ask', 'pause')
   *       .next(({ nodes }) => ({ done: cel<boolean>`${nodes.ask.body}.done` }))
   *       .until(({ pass }) => pass.state.done),
   *   )
   *   .build();
   * ```
   */
  loop<const Id extends string, const Config extends ConfigOf<'loop'>, Inner, const Policy extends OnError = 'fail'>(
    id: NewId<Id, Nodes>,
    config: Given<References<Scope, Nodes>, Exactly<Config, ConfigOf<'loop'>>>,
    body: (
      body: Builder<BodyScope<Scope, 'loop', { pass: { index: number; state: StateOf<Config> } }>, Nodes, never>,
    ) => Inner,
    options?: NodeOptions<never, Policy, References<Scope, Nodes>>,
  ): Builder<
    Scope,
    Added<
      Nodes,
      Id,
      { type: 'loop'; output: { iterations: number; state: StateOf<Config> }; ports: PortsOf<'loop', Config, Policy> }
    >,
    Own | Id
  >;

  /**
   * Runs a body; a failure in it leaves by the port `error`.
   *
   * @example
   * ```ts
   * workflow('careful')
   *   .try('risky', (body) => body.node('call', 'http', { url: 'https://example.org/' }).result(({ nodes }) => nodes.call.status))
   *   .node('why', 'transform', ({ nodes }) => ({ value: nodes.risky.error.message }))
   *   .edge('risky', 'why', 'error')
   *   .build();
   * ```
   */
  try<const Id extends string, Inner>(
    id: NewId<Id, Nodes>,
    body: (body: Builder<BodyScope<Scope, 'try', object>, Nodes, never>) => Inner,
    options?: Pick<NodeOptions<never>, 'name'>,
  ): Builder<
    Scope,
    Added<
      Nodes,
      Id,
      {
        type: 'try';
        output: TryOutput<BodyOutput<Inner>>;
        ports: PortsOf<'try', unknown, 'fail'>;
      }
    >,
    Own | Id
  >;

  /**
   * Runs another workflow that was written by a builder, with its types.
   *
   * @example
   * ```ts
   * const greeting = workflow('greeting')
   *   .input({ type: 'object', required: ['name'], properties: { name: { type: 'string' } } })
   *   .node('greet', 'template', ({ input }) => ({ template: text`Hello ${input.name}` }))
   *   .output(({ nodes }) => ({ text: nodes.greet }));
   * workflow('letter')
   *   .subworkflow('greet', greeting, () => ({ name: cel<string>`"Ada"` }))
   *   .output(({ nodes }) => nodes.greet.text)
   *   .build();
   * ```
   */
  subworkflow<
    const Id extends string,
    Other extends BuilderScope,
    const Input extends InputMapping<Other['input']>,
    const Policy extends OnError = 'fail',
  >(
    id: NewId<Id, Nodes>,
    other: { readonly [scopeType]?: Other; build: () => WorkflowDefinition },
    input: Given<References<Scope, Nodes>, Input>,
    options?: NodeOptions<never, Policy, References<Scope, Nodes>>,
  ): Builder<
    Scope,
    Added<Nodes, Id, { type: 'subworkflow'; output: Other['output']; ports: PortsOf<'subworkflow', unknown, Policy> }>,
    Own | Id
  >;

  /**
   * Names the activity that undoes a node when the run fails or is cancelled later; it may read the node itself.
   *
   * @example
   * ```ts
   * workflow('book')
   *   .node('hold', 'http', { url: 'https://example.org/seats', method: 'POST' })
   *   .undo('hold', 'http', ({ nodes }) => ({ url: text`https://example.org/seats/${nodes.hold.body.id}`, method: 'DELETE' }))
   *   .build();
   * ```
   */
  undo<const Type extends ActivityType, const Config extends ConfigOf<Type>>(
    id: Own,
    type: Type,
    config: Given<References<Scope, Nodes>, Exactly<Config, ConfigOf<Type>>>,
    options?: UndoOptions,
  ): Builder<Scope, Nodes, Own>;

  /** Leads from a node to another of the same body; a type with several ports needs the port that the edge leaves by. */
  edge<From extends Own>(
    from: From,
    to: Exclude<Own, From>,
    ...port: PortArgument<Nodes[From]['ports']>
  ): Builder<Scope, Nodes, Own>;

  /** What an item of a map, or a try, gives. */
  result: In<
    Scope,
    'map' | 'try',
    <const Mapping extends MappingInput>(
      mapping: Given<References<Scope, Nodes>, Mapping>,
    ) => Builder<With<Scope, { output: MappedBy<Mapping> }>, Nodes, Own>
  >;
  while: In<
    Scope,
    'loop',
    (condition: Given<References<Scope, Nodes>, Expression<boolean>>) => Builder<Scope, Nodes, Own>
  >;
  until: In<
    Scope,
    'loop',
    (condition: Given<References<Scope, Nodes>, Expression<boolean>>) => Builder<Scope, Nodes, Own>
  >;
  next: In<Scope, 'loop', (state: Given<References<Scope, Nodes>, MappingInput>) => Builder<Scope, Nodes, Own>>;

  /** What a completed run returns. */
  output: In<
    Scope,
    'workflow',
    <const Mapping extends MappingInput>(
      mapping: Given<References<Scope, Nodes>, Mapping>,
    ) => Builder<With<Scope, { output: MappedBy<Mapping> }>, Nodes, Own>
  >;
  policies: In<Scope, 'workflow', (policies: RunPolicies) => Builder<Scope, Nodes, Own>>;
  metadata: In<Scope, 'workflow', (metadata: JsonObject) => Builder<Scope, Nodes, Own>>;

  /**
   * The definition, as it would be written by hand.
   * @throws AppError DEFINITION_INVALID with all `problems`
   */
  build: In<Scope, 'workflow', () => WorkflowDefinition>;
}

type StateOf<Config> = Config extends { readonly state: infer State } ? MappedBy<State> : Json;
/** One of the two, but references follow either. */
type TryOutput<Result> = [Json] extends [Result] ? Json : Result & { error: RunError };
/** An expression for each field that the other workflow's input has, of its type. */
type InputMapping<Input> = [Json] extends [Input]
  ? MappingInput
  : Expression<Input> | (Input extends object ? { readonly [Name in keyof Input]: InputMapping<Input[Name]> } : never);
