import { AppError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { Change } from '../change.ts';
import type { CompiledNode } from '../compile.ts';
import type { Place } from '../place.ts';
import { toRunError } from '../run-error.ts';
import { contentKey } from './content-key.ts';
import type { KnownResult, Seed } from './seed.ts';
import { settleSeeded } from './take-seeded.ts';

/**
 * In a counterfactual run a node answers as it did, whatever it is asked: nothing outside is touched twice. Those that may run do so
 * when they are asked something else. False when the node is to go on by itself.
 */
export function rehearse(change: Change, place: Place, seed: Seed, input: JsonObject): boolean {
  const { node, iteration } = place;
  if (!answers(node)) return false;
  const { live = [], again = [] } = seed.rehearsal ?? {};
  if (again.includes(node.id)) return false;
  const recorded = seed.known[node.id]?.find((one) => one.iteration === iteration);
  const same = recorded?.key === contentKey(node.type, input);
  if (live.includes(node.id) && !(same && recorded.status === 'COMPLETED')) return false;
  if (recorded) answer(change, place, recorded, input, seed);
  else if (node.type === 'delay' || node.type === 'until') change.complete(place, { output: null, port: null });
  else {
    change.set(place, { input });
    change.fail(place, toRunError(new AppError('NOT_RECORDED', { nodeId: node.id }), node.id));
  }
  return true;
}

const answers = ({ row }: CompiledNode): boolean =>
  row.class === 'activity' || row.class === 'child' || row.class === 'wait';

function answer(change: Change, place: Place, recorded: KnownResult, input: JsonObject, seed: Seed): void {
  if (recorded.status !== 'FAILED') return settleSeeded(change, place, recorded, input, seed);
  change.set(place, { input, ...(recorded.runId === null ? {} : { reused: recorded.runId }) });
  change.fail(place, recorded.error ?? toRunError(new AppError('NODE_FAILED', { detail: '' }), place.node.id));
}
