import { AppError } from '../../errors.ts';
import type { Json, JsonObject } from '../../json.ts';
import { activityId, FIRST_ITERATION } from '../activity-id.ts';
import type { CompiledDefinition, CompiledNode } from '../compile.ts';
import { isNodeType, portsOf } from '../node-types.ts';
import type { NodeState } from '../run-state.ts';
import { type Again, runsAgain } from './again.ts';
import { contentKey } from './content-key.ts';
import { type EarlierExecution, type EarlierRun, endedBadly } from './earlier-run.ts';
import type { KnownResult, Seed, SeedResult } from './seed.ts';
import { isAddressed, seenBefore } from './take-seeded.ts';

/** What is different in the new run, besides its definition. */
export type Patches = {
  input?: Json;
  /** First values of variables. */
  variables?: JsonObject;
  /** Results given by hand, by node id. */
  nodes?: { [nodeId: string]: { output: Json; port?: string } };
};

/**
 * What a new run takes over. With `named` nodes everything but them and what follows from them, as it stands; without, whatever would
 * be asked for in the same way again.
 * @throws INPUT_INVALID
 */
export function buildSeed(
  earlier: EarlierRun,
  to: CompiledDefinition,
  { named, patches }: { named: readonly string[] | null; patches: Patches },
): Seed {
  const undone = undoneOf(earlier);
  const usable = earlier.executions.filter(({ nodeId, iteration }) => !undone.has(`${nodeId}#${iteration}`));
  const again = named === null ? null : runsAgain(to, named);
  const given = Object.entries(patches.nodes ?? {}).map(([id, result]) => [id, givenResult(to, id, result)] as const);
  return {
    fixed: { ...fixedOf(earlier, to, again, undone), ...Object.fromEntries(given) },
    inPlace: named !== null,
    known: knownOf(earlier, to, again, usable),
    undos: endedBadly(earlier),
    ...(patches.variables === undefined ? {} : { variables: checkedVariables(to, patches.variables) }),
  };
}

/** What was undone has to be done again. */
function undoneOf({ executions, state }: EarlierRun): Set<string> {
  const undos = [...executions.map((one) => ({ ...one, id: one.nodeId })), ...state.undos];
  const begun = undos.filter(({ id, status }) => id.endsWith('.undo') && status !== 'PENDING');
  return new Set(begun.map(({ id, iteration }) => `${id.replace(/\.undo$/, '')}#${iteration}`));
}

function fixedOf(
  earlier: EarlierRun,
  to: CompiledDefinition,
  again: Again | null,
  undone: ReadonlySet<string>,
): { [nodeId: string]: SeedResult } {
  const fixed: { [nodeId: string]: SeedResult } = {};
  for (const node of to.bodies.get(null) ?? []) {
    const state = earlier.state.nodes.find((one) => one.id === node.id);
    if (state === undefined || state.type !== node.type || !hasResult(state)) continue;
    if (node.row.class === 'inline' || undone.has(activityId(node.id, FIRST_ITERATION))) continue;
    const chosen = again
      ? !again.nodes.has(node.id) && !again.entered.has(node.id)
      : node.definition.reuse === 'always' && state.status === 'COMPLETED';
    if (chosen) fixed[node.id] = resultOf(earlier, state, node);
  }
  return fixed;
}

/** Something flows out of it, or somebody said what is to flow. */
const hasResult = ({ status, port, handled }: NodeState): boolean =>
  status === 'COMPLETED' || (port !== null && (status === 'SKIPPED' || (status === 'FAILED' && handled)));

function resultOf({ id, compiled }: EarlierRun, state: NodeState, node: CompiledNode): SeedResult {
  const { status, output, port, error, handled, reused } = state;
  return {
    runId: reused ?? id,
    status: status as SeedResult['status'],
    output,
    port,
    error,
    handled,
    variables: node.row.class === 'container' ? writtenInside(compiled, state) : null,
  };
}

/** The variables whose last writer is in the body of the container. */
function writtenInside(compiled: CompiledDefinition, { id, variables }: NodeState): JsonObject | null {
  const container = compiled.indexOf.get(id) ?? -1;
  const isInside = (index: number): boolean => {
    for (let node = compiled.nodes[index]; node !== undefined; node = compiled.nodes[node.parent ?? -1]) {
      if (node.parent === container) return true;
    }
    return false;
  };
  const written = Object.entries(variables ?? {}).filter(([, { node }]) => isInside(node));
  return written.length === 0 ? null : Object.fromEntries(written.map(([name, { value }]) => [name, value]));
}

function knownOf(
  earlier: EarlierRun,
  to: CompiledDefinition,
  again: Again | null,
  executions: readonly EarlierExecution[],
): { [nodeId: string]: KnownResult[] } {
  const known: { [nodeId: string]: KnownResult[] } = {};
  for (const execution of executions) {
    const { nodeId: id, iteration } = execution;
    if (execution.status !== 'COMPLETED' || !isNodeType(execution.type)) continue;
    const node = to.nodes[to.indexOf.get(id) ?? -1];
    const old = earlier.compiled.nodes[earlier.compiled.indexOf.get(id) ?? -1];
    if (old === undefined || !isAddressed(node ?? old)) continue;
    if (again !== null && !isKept(to, again, node, iteration)) continue;
    const key = keyOf(earlier, old, execution);
    if (key === null) continue;
    const { output, port, error, handled } = execution;
    const runId = execution.reusedFrom ?? earlier.id;
    const result = { runId, status: 'COMPLETED', output, port, error, handled, variables: null } as const;
    (known[id] ??= []).push({ ...result, iteration, key });
  }
  return known;
}

/** Of named nodes: inside containers that run again, what does not follow from what was named. */
function isKept(to: CompiledDefinition, again: Again, node: CompiledNode | undefined, iteration: string): boolean {
  if (node === undefined || node.parent === null) return false;
  const own = again.nodes.get(node.id);
  if (own === 'all' || own?.has(iteration)) return false;
  for (let around = to.nodes[node.parent]; around !== undefined; around = to.nodes[around.parent ?? -1]) {
    const paths = again.nodes.get(around.id);
    if (paths === 'all' || paths?.has(iteration.split('.').slice(0, around.depth).join('.'))) return false;
  }
  return true;
}

/** What had been done by a moment inside of maps whose items run as child runs. */
export function knownInside(
  earlier: EarlierRun,
  to: CompiledDefinition,
  containers: readonly string[],
  at: number,
): { [nodeId: string]: KnownResult[] } {
  if (containers.length === 0) return {};
  const again = { nodes: new Map<string, 'all'>(), entered: new Set(containers) };
  const isInside = (id: string): boolean => {
    for (let node = to.nodes[to.indexOf.get(id) ?? -1]; node; node = to.nodes[node.parent ?? -1]) {
      if (containers.includes(node.id)) return true;
    }
    return false;
  };
  const done = earlier.executions.filter(
    ({ nodeId, closedAt }) => closedAt !== null && closedAt.getTime() <= at && isInside(nodeId),
  );
  return knownOf(earlier, to, again, done);
}

function keyOf(earlier: EarlierRun, old: CompiledNode, { type, input }: EarlierExecution): string | null {
  const { compiled, state, implementations } = earlier;
  if (!isNodeType(type)) return null;
  if (old.row.class !== 'wait') return contentKey(type, input, null, implementations);
  if (old.parent !== null) return null;
  return contentKey(type, input, seenBefore(compiled, earlier.input, state.nodes, old), implementations);
}

export function givenResult(
  to: CompiledDefinition,
  id: string,
  { output, port }: { output: Json; port?: string },
): SeedResult {
  const node = to.nodes[to.indexOf.get(id) ?? -1];
  const refuse = (message: string) =>
    new AppError('INPUT_INVALID', { detail: message, paths: [{ path: `/patches/nodes/${id}`, message }] });
  if (node === undefined || node.parent !== null) throw refuse(`the workflow's own body has no node ${id}`);
  const ports = portsOf(node.definition);
  const chosen = port ?? node.port;
  if (!ports.includes(chosen)) throw refuse(`${id} has no port ${chosen}, but ${ports.join(', ')}`);
  return { runId: null, status: 'COMPLETED', output, port: chosen, error: null, handled: false, variables: null };
}

export function checkedVariables(to: CompiledDefinition, variables: JsonObject): JsonObject {
  const unknown = Object.keys(variables).find((name) => !Object.hasOwn(to.definition.variables ?? {}, name));
  if (unknown === undefined) return variables;
  const message = `there is no variable ${unknown}`;
  throw new AppError('INPUT_INVALID', { detail: message, paths: [{ path: `/patches/variables/${unknown}`, message }] });
}
