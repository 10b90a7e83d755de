import { AppError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import type { CompiledNode } from './compile.ts';
import type { NodeState } from './run-state.ts';

export type Outcome = { output: Json; port: string };

/** Finishes an inline node whose config is resolved. Pure, so every driver recomputes it and history need not hold it. */
export function runInlineNode(node: CompiledNode, config: JsonObject, nodes: readonly NodeState[]): Outcome {
  const port = node.row.ports[0];
  switch (node.type) {
    case 'transform':
      return { output: config['value'] ?? null, port };
    case 'template':
      return { output: config['template'] ?? null, port };
    case 'branch':
      return branch(node, config['condition'] ?? null);
    case 'merge':
      return { output: merge(node, config['mode'] ?? 'object', nodes), port };
    default:
      throw new AppError('CONFIG_INVALID', { detail: `type ${node.type} does not run inline` });
  }
}

function branch(node: CompiledNode, condition: Json): Outcome {
  if (typeof condition !== 'boolean') {
    throw new AppError('EXPRESSION_FAILED', {
      expression: node.config['condition'],
      detail: `gave ${JSON.stringify(condition)}, not true or false`,
    });
  }
  return { output: condition, port: String(condition) };
}

function merge(node: CompiledNode, mode: Json, nodes: readonly NodeState[]): Json {
  const delivered = node.predecessors
    .filter((edge) => nodes[edge.from]?.status === 'COMPLETED' && nodes[edge.from]?.port === edge.port)
    .map((edge) => edge.from);
  const live = [...new Set(delivered)].sort((left, right) => left - right).map((index) => nodes[index] as NodeState);
  if (mode === 'list') return live.map((source) => source.output);
  if (mode === 'first') return live[0]?.output ?? null;
  return Object.fromEntries(live.map((source) => [source.id, source.output]));
}
