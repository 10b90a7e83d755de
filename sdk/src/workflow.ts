import { AppError } from '../../domain/errors.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { EdgeDefinition, NodeDefinition, RunPolicies, WorkflowDefinition } from '../../domain/runs/definition.ts';
import type { NodeType } from '../../domain/runs/node-types.ts';
import { validateDefinition } from '../../domain/runs/validate.ts';
import type { Builder, BuilderScope, NodeEntries, NodeOptions, OutputType, UndoOptions } from './builder-types.ts';
import { printConfig, printMapping } from './print-config.ts';
import { ref } from './reference.ts';

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

// oxlint-disable-next-line typescript/no-generated-empty-object-type -- the set of ids that is empty at first.
type Nothing = Record<never, never>;
export type WorkflowBuilder<Input = Json, Nodes extends NodeEntries = Nothing> = Builder<
  { kind: 'workflow'; input: Input; variables: Nothing; bindings: Nothing; output: null },
  Nodes,
  keyof Nodes & string
>;

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
export function workflow(name: string): WorkflowBuilder {
  return builder({
    definition: { name, nodes: [], edges: [] },
    parent: null,
    visible: [],
    own: {},
  }) as unknown as WorkflowBuilder;
}

/** A workflow, or a body with the nodes around it, under way. */
type Draft = {
  definition: WorkflowDefinition;
  /** The container whose body it is. */
  parent: string | null;
  /** Nodes outside that it may read. */
  visible: readonly string[];
  /** What the body says of its container. */
  own: JsonObject;
};
const DRAFT = Symbol('draft');

/** The types live in the interface alone; underneath there is one kind of builder. */
type AnyBuilder = { [Method in keyof Builder<BuilderScope, NodeEntries, string>]: (...values: never[]) => unknown } & {
  [DRAFT]: Draft;
};

function builder(draft: Draft): AnyBuilder {
  const { definition } = draft;
  const extend = (change: Partial<WorkflowDefinition>): AnyBuilder =>
    builder({ ...draft, definition: { ...definition, ...change } });
  const say = (name: string) => (value: unknown) =>
    builder({ ...draft, own: { ...draft.own, [name]: printMapping(resolve(value, draft)) } });
  const add = (...nodes: NodeDefinition[]) => extend({ nodes: [...definition.nodes, ...nodes] });
  return {
    [DRAFT]: draft,
    describe: (description: string) => extend({ description }),
    input: (schema: JsonObject) => extend({ input: schema }),
    variables: (variables: JsonObject) => extend({ variables }),
    policies: (policies: RunPolicies) => extend({ policies }),
    metadata: (metadata: JsonObject) => extend({ metadata }),
    node: (id: string, type: NodeType, config: unknown, options?: AnyOptions) =>
      add(nodeOf(draft, id, type, config, options)),
    map: (id: string, config: unknown, body: Body, options?: AnyOptions) =>
      container(draft, nodeOf(draft, id, 'map', config, options), body),
    loop: (id: string, config: unknown, body: Body, options?: AnyOptions) =>
      container(draft, nodeOf(draft, id, 'loop', config, options), body),
    try: (id: string, body: Body, options?: AnyOptions) =>
      container(draft, nodeOf(draft, id, 'try', {}, options), body),
    subworkflow: (id: string, other: { build: () => WorkflowDefinition }, input: unknown, options?: AnyOptions) =>
      add(nodeOf(draft, id, 'subworkflow', { workflow: other.build().name, input: resolve(input, draft) }, options)),
    undo: (id: string, type: NodeType, config: unknown, options: UndoOptions = {}) =>
      extend({
        nodes: definition.nodes.map((node) =>
          node.id === id ? { ...node, undo: undoOf(draft, type, config, options) } : node,
        ),
      }),
    edge: (from: string, to: string, port?: string) => extend({ edges: [...definition.edges, edgeOf(from, to, port)] }),
    result: say('result'),
    while: say('while'),
    until: say('until'),
    next: say('next'),
    output: (mapping: unknown) => extend({ output: printMapping(resolve(mapping, draft)) }),
    build: () => build(definition),
  };
}

function build(draft: WorkflowDefinition): WorkflowDefinition {
  const definition = structuredClone(draft);
  const problems = validateDefinition(definition);
  if (problems.length === 0) return definition;
  throw new AppError('DEFINITION_INVALID', { count: problems.length, problems });
}

type Body = (body: AnyBuilder) => AnyBuilder;

/** The container, and after it the nodes of its body. */
function container(draft: Draft, node: NodeDefinition, body: Body): AnyBuilder {
  const { definition } = draft;
  const visible = [...draft.visible, ...definition.nodes.map(({ id }) => id)];
  const inner = body(
    builder({ definition: { ...definition, nodes: [], edges: [] }, parent: node.id, visible, own: {} }),
  )[DRAFT];
  const config = { ...node.config, ...inner.own };
  const nodes = [...definition.nodes, { ...node, config }, ...inner.definition.nodes];
  return builder({
    ...draft,
    definition: { ...definition, nodes, edges: [...definition.edges, ...inner.definition.edges] },
  });
}

function resolve(value: unknown, draft: Draft): unknown {
  return typeof value === 'function' ? (value as (references: object) => unknown)(referencesOf(draft)) : value;
}

function referencesOf({ definition, visible }: Draft): object {
  const ids = [...visible, ...definition.nodes.map(({ id }) => id)];
  const byName = (names: readonly string[], path: (name: string) => string[]) =>
    Object.fromEntries(names.map((name) => [name, ref(path(name))]));
  return {
    ...byName(['input', 'run', 'item', 'index', 'pass'], (name) => [name]),
    nodes: byName(ids, (id) => ['nodes', id, 'output']),
    states: byName(ids, (id) => ['nodes', id]),
    vars: byName(Object.keys(definition.variables ?? {}), (name) => ['vars', name]),
  };
}

type AnyOptions = NodeOptions<unknown, 'fail' | 'continue' | 'route', object>;

function nodeOf(draft: Draft, id: string, type: NodeType, config: unknown, options: AnyOptions = {}): NodeDefinition {
  const { fallback } = options;
  return {
    id,
    ...(draft.parent === null ? {} : { parent: draft.parent }),
    type,
    config: printConfig(type, resolve(config, draft) as Readonly<Record<string, unknown>>),
    ...given(options, ['name', 'retry', 'timeouts', 'taskQueue', 'onError', 'fuse', 'reuse']),
    ...(fallback === undefined ? {} : { fallback: printMapping(resolve(fallback, draft)) }),
  };
}

function undoOf(
  draft: Draft,
  type: NodeType,
  config: unknown,
  options: UndoOptions,
): NonNullable<NodeDefinition['undo']> {
  return {
    type,
    config: printConfig(type, resolve(config, draft) as Readonly<Record<string, unknown>>),
    ...given(options, ['name', 'retry', 'timeouts', 'taskQueue']),
  };
}

function given<Options extends object, Name extends keyof Options>(
  options: Options,
  names: readonly Name[],
): Pick<Options, Name> {
  const present = names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]] as const);
  return Object.fromEntries(present) as Pick<Options, Name>;
}

const edgeOf = (from: string, to: string, port: string | undefined): EdgeDefinition =>
  port === undefined ? { from, to } : { from, to, port };
