import type { Json, JsonObject } from '../json.ts';
import type { Change } from './change.ts';
import { type Place, ROOT } from './place.ts';
import type { NodeState } from './run-state.ts';
import { joinVariables, type Variables, writeVariables } from './variables.ts';

/** The predecessors by which something flows into a node, in definition order. */
export function liveInto(change: Change, { node, scope }: Place): NodeState[] {
  const states = change.nodesOf(scope);
  return change.body(scope).flatMap((source) => {
    const state = states[source.position] as NodeState;
    return node.predecessors.some((edge) => edge.from === source.index && state.port === edge.port) ? [state] : [];
  });
}

/** The variables as they flow into a node. */
export function variablesBefore(change: Change, place: Place): Variables {
  const live = place.node.predecessors.length === 0 ? [] : liveInto(change, place);
  if (live.length > 0) return joinVariables(live.map((source) => source.variables ?? {}));
  return place.scope === ROOT ? change.state.variables : (change.scope(place.scope)?.variables ?? {});
}

/** As they flow out of a body: joined over all its nodes. */
export function variablesAfter(change: Change, key: string): Variables {
  const flows = change.nodesOf(key).flatMap((node) => (node.variables ? [node.variables] : []));
  return joinVariables([change.scope(key)?.variables ?? {}, ...flows]);
}

/** As they flow out of a node that has written some; null where none are declared. */
export function variablesOut(change: Change, place: Place, written?: JsonObject): Variables | null {
  if (change.compiled.definition.variables === undefined) return null;
  const before = variablesBefore(change, place);
  return written === undefined ? before : writeVariables(before, written, place.node.index);
}

export function varsInto(change: Change, place: Place): Json {
  return change.compiled.definition.variables === undefined ? {} : valuesOf(variablesBefore(change, place));
}

export const valuesOf = (variables: Variables): Json =>
  Object.fromEntries(Object.entries(variables).map(([name, { value }]) => [name, value]));
