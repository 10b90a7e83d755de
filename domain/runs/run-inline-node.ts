import { AppError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import type { CompiledNode } from './compile.ts';
import type { NodeState } from './run-state.ts';

/** `variables` are written for what follows. */
export type Outcome = { output: Json; port: string; variables?: JsonObject };

type InlineNode = Pick<CompiledNode, 'type' | 'port' | 'config'>;

/**
 * Finishes an inline node whose config is resolved. Pure, so every driver recomputes it and history need not hold it.
 * `live` are the predecessors by which something flows in, in definition order; `evaluate` is for expressions that depend on others.
 */
export function runInlineNode(
  node: InlineNode,
  config: JsonObject,
  live: () => readonly NodeState[],
  evaluate: (expression: string) => Json,
): Outcome {
  const { port } = node;
  switch (node.type) {
    case 'transform':
      return { output: config['value'] ?? null, port };
    case 'template':
      return { output: config['template'] ?? null, port };
    case 'branch':
      return branch(node, config['condition'] ?? null);
    case 'merge':
      return { output: merge(config['mode'] ?? 'object', live()), port };
    case 'switch':
      return chooseCase(config['cases'] as { port: string; when: string }[], evaluate);
    case 'set':
      return { output: config['values'] ?? null, port, variables: config['values'] as JsonObject };
    case 'fail':
      throw new NodeFailure(String(config['code']), String(config['message']));
    default:
      throw new AppError('CONFIG_INVALID', { detail: `type ${node.type} does not run inline` });
  }
}

/** A failure whose code the definition names. */
export class NodeFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'NodeFailure';
    this.code = code;
  }
}

/** Later cases are not evaluated: they may rely on the earlier ones being false. */
function chooseCase(cases: readonly { port: string; when: string }[], evaluate: (expression: string) => Json): Outcome {
  for (const { port, when } of cases) {
    const value = evaluate(when);
    if (typeof value !== 'boolean') {
      throw new AppError('EXPRESSION_FAILED', {
        expression: when,
        detail: `gave ${JSON.stringify(value)}, not true or false`,
      });
    }
    if (value) return { output: { port }, port };
  }
  return { output: { port: 'default' }, port: 'default' };
}

function branch(node: InlineNode, condition: Json): Outcome {
  if (typeof condition !== 'boolean') {
    throw new AppError('EXPRESSION_FAILED', {
      expression: node.config['condition'],
      detail: `gave ${JSON.stringify(condition)}, not true or false`,
    });
  }
  return { output: condition, port: String(condition) };
}

function merge(mode: Json, live: readonly NodeState[]): Json {
  if (mode === 'list') return live.map((source) => source.output);
  if (mode === 'first') return live[0]?.output ?? null;
  return Object.fromEntries(live.map((source) => [source.id, source.output]));
}
