import type { CompiledDefinition } from '../compile.ts';
import { isNodeType } from '../node-types.ts';
import { contentKey } from './content-key.ts';
import type { EarlierRun } from './earlier-run.ts';
import type { KnownResult, Rehearsal, Seed } from './seed.ts';

/** Task queues whose nodes compute something and change nothing. */
const COMPUTING: readonly (string | undefined)[] = ['models', 'content'];

/** Nodes that may run: those that compute, and whatever else somebody says. */
export function rehearsalOf(to: CompiledDefinition, named: readonly string[], again: readonly string[]): Rehearsal {
  const computing = to.nodes.filter(({ row }) => row.class === 'activity' && COMPUTING.includes(row.taskQueue));
  return { live: [...new Set([...computing.map(({ id }) => id as string), ...named])], again };
}

/** Everything that an earlier run was answered, failures included. */
export function rehearsalSeed(earlier: EarlierRun, rehearsal: Rehearsal): Seed {
  const known: { [nodeId: string]: KnownResult[] } = {};
  for (const execution of earlier.executions) {
    const { nodeId, iteration, type, status, input, output, port, error, handled } = execution;
    const answered = status === 'COMPLETED' || status === 'FAILED' || (status === 'SKIPPED' && port !== null);
    if (!answered || !isNodeType(type)) continue;
    const key = contentKey(type, input, null, earlier.implementations);
    const runId = execution.reusedFrom ?? earlier.id;
    (known[nodeId] ??= []).push({ runId, status, output, port, error, handled, variables: null, iteration, key });
  }
  return { fixed: {}, known, inPlace: true, undos: false, rehearsal };
}
