import type { Json } from '../json.ts';
import type { Change } from './change.ts';
import type { CompiledNode } from './compile.ts';
import type { ExpressionContext } from './expression.ts';
import { valuesOf, variablesAfter, varsInto } from './flow.ts';
import { nodeView, outerIteration, type Place, ROOT } from './place.ts';
import type { Bindings } from './run-state.ts';

/** What expressions may read at a place; `more` adds bindings, as those of a loop's next pass. */
export function contextAt(change: Change, place: Place, more: Bindings = {}): ExpressionContext {
  return {
    input: change.state.input,
    run: { workflow: change.compiled.definition.name, webhooks: change.state.webhooks },
    vars: varsInto(change, place),
    bindings: { ...bindingsAt(change, place), ...more },
    node: (id) => viewOf(change, id, place),
  };
}

/** What expressions may read that are evaluated when a body has ended. */
export function contextInside(change: Change, key: string, more: Bindings = {}): ExpressionContext {
  const [first] = change.body(key);
  const place = change.place(first as CompiledNode, change.scope(key)?.iteration ?? '');
  return { ...contextAt(change, place, more), vars: valuesOf(variablesAfter(change, key)) };
}

export function bindingsAt(change: Change, { scope }: Place): Bindings {
  return (scope === ROOT ? change.state.slice?.bindings : change.scope(scope)?.bindings) ?? {};
}

function viewOf(change: Change, id: string, from: Place): Json {
  const { slice } = change.state;
  if (slice && Object.hasOwn(slice.nodes, id)) return slice.nodes[id] as Json;
  const node = change.compiled.nodes[change.compiled.indexOf.get(id) ?? -1];
  if (node === undefined) return null;
  return nodeView(change.peek(change.place(node, outerIteration(from.iteration, node.depth))));
}
