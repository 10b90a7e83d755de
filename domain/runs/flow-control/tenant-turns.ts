import { takeTurn, type Turns, turnOf } from './fair-turns.ts';

/** By tenant; `default` is for those that are not named. */
export type TenantWeights = Readonly<Record<string, number>>;

const NOT_NAMED = 'default';

export function weightOfTenant(weights: TenantWeights, tenantId: string): number {
  const named = [tenantId, NOT_NAMED].find((name) => Object.hasOwn(weights, name));
  return named === undefined ? 1 : (weights[named] as number);
}

/** Of the tenants with something to admit, the one that has had least for its weight; the first of equals. */
export function nextTenant(tenants: readonly string[], turns: Turns): string | undefined {
  let best: string | undefined;
  for (const tenant of tenants) if (best === undefined || turnOf(turns, tenant) < turnOf(turns, best)) best = tenant;
  return best;
}

/** A turn as long as the number of runs that were admitted in it. */
export function takeTenantTurn(
  turns: Turns,
  tenantId: string,
  { weight, runs }: { weight: number; runs: number },
): Turns {
  return runs === 0 ? turns : takeTurn(turns, { key: tenantId, weight: weight / runs });
}
