import { iterationInside } from '../activity-id.ts';
import type { CompiledDefinition, CompiledNode } from '../compile.ts';
import type { RunState, Slice } from '../run-state.ts';
import type { KnownResult, Seed } from './seed.ts';

/** The results that executions of a slice of a map may take over: those of the same items. */
export function seedOfSlice(
  compiled: CompiledDefinition,
  { seed }: Pick<RunState, 'seed'>,
  { nodeId, iteration, from, items }: Slice,
): Seed | null {
  if (seed === undefined) return null;
  const container = compiled.nodes[compiled.indexOf.get(nodeId) ?? -1] as CompiledNode;
  const inside = items.map((_, index) => iterationInside({ iteration, atRoot: container.depth === 0 }, from + index));
  const own = new Set(inside);
  const isInside = ({ iteration: path }: KnownResult) =>
    own.has(
      path
        .split('.')
        .slice(0, container.depth + 1)
        .join('.'),
    );
  const known = Object.entries(seed.known).flatMap(([id, results]) => {
    const fitting = results.filter(isInside);
    return fitting.length > 0 ? [[id, fitting] as const] : [];
  });
  const { inPlace, undos, rehearsal } = seed;
  return { fixed: {}, inPlace, known: Object.fromEntries(known), undos, ...(rehearsal ? { rehearsal } : {}) };
}
