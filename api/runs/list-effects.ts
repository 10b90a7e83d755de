import { listEffects } from '../../adapters/postgres/effect-store.ts';
import { runId } from '../../domain/identifiers.ts';
import type { EffectRecord, EffectState } from '../../domain/tools/effect.ts';
import type { Principal } from '../access/principal.ts';
import { pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';

export type EffectsFilter = {
  nodeId?: string | null | undefined;
  state?: readonly EffectState[] | null | undefined;
  first?: number | null | undefined;
};

/** Oldest first. @throws INPUT_INVALID */
export function listEffectsOf(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  run: string,
  { nodeId, state, first }: EffectsFilter,
): Promise<EffectRecord[]> {
  return listEffects(pool, {
    tenantId,
    runId: runId(run),
    first: pageSize(first, 1_000, 1_000),
    nodeId: nodeId ?? undefined,
    states: state ?? undefined,
  });
}
