import type { Json, JsonObject } from '../json.ts';

/**
 * The variables as they flow along the edges. `clock` counts the writes on the longest way here (Lamport 1978), so that where
 * branches join the later write wins, and of two that know nothing of each other the one of the later node in the definition:
 * never the one that happened to finish last.
 */
export type Variables = {
  readonly [name: string]: { readonly value: Json; readonly clock: number; readonly node: number };
};

export function initialVariables(values: JsonObject | undefined): Variables {
  return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, { value, clock: 0, node: -1 }]));
}

export function joinVariables(flows: readonly Variables[]): Variables {
  const [first = {}, ...others] = flows;
  if (others.every((flow) => flow === first)) return first;
  const joined: Record<string, Variables[string]> = { ...first };
  for (const flow of others) {
    for (const [name, entry] of Object.entries(flow)) {
      const known = joined[name];
      const later = !known || entry.clock > known.clock || (entry.clock === known.clock && entry.node > known.node);
      if (later) joined[name] = entry;
    }
  }
  return joined;
}

export function writeVariables(flow: Variables, values: JsonObject, node: number): Variables {
  const clock = 1 + Math.max(0, ...Object.values(flow).map((entry) => entry.clock));
  const written = Object.entries(values).map(([name, value]) => [name, { value, clock, node }]);
  return { ...flow, ...Object.fromEntries(written) };
}

/** What a person sets: the value from now on, wherever the variable has got to; later writes of nodes replace it as usual. */
export function overrideVariable(flow: Variables, name: string, value: Json): Variables {
  const entry = flow[name];
  return entry ? { ...flow, [name]: { ...entry, value } } : flow;
}

export function variableValues(flow: Variables): JsonObject {
  return Object.fromEntries(Object.entries(flow).map(([name, entry]) => [name, entry.value]));
}
