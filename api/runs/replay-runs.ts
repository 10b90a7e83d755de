import { AppError } from '../../domain/errors.ts';
import { readChain } from '../../temporal/read-chain.ts';
import type { ReplayedLink, ReplayLink } from '../../temporal/replay/replay-links.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { type ReplayChoice, replayPages } from './replay-pages.ts';

export type ReplayRuns = ReplayChoice & { last?: number | null | undefined; after?: string | null | undefined };
export type ReplayReport = {
  histories: ReplayedLink[];
  /** Runs of whose history Temporal knows nothing any more. */
  missing: string[];
  /** Where another call goes on. */
  next: string | null;
};

const DEFAULT_LAST = 10;
const MOST_RUNS = 1_000;
/** Whose histories are in memory together. */
const BATCH = 25;

/**
 * Histories of runs against the workflow code that the workers have: nothing is called and nothing changed. Ends early, with a place
 * to go on from, when half of the time is over that the gateway waits.
 * @throws INPUT_INVALID, NOT_FOUND, SETUP_INCOMPLETE
 */
export async function replayRuns(deps: RunsDeps, principal: Principal, request: ReplayRuns): Promise<ReplayReport> {
  if (!deps.replay) throw new AppError('SETUP_INCOMPLETE', { detail: 'WEFT_WORKFLOW_BUNDLE is not set' });
  const pageOf = replayPages(deps, principal, request);
  const report: ReplayReport = { histories: [], missing: [], next: request.after ?? null };
  const until = Date.now() + deps.settings.WEFT_SUBGRAPH_TIMEOUT_MS / 2;
  let left = mostOf(request);
  do {
    const { ids, taken, next } = await pageOf(Math.min(left, BATCH), report.next);
    const links: ReplayLink[] = [];
    for (const id of ids) {
      const chain = await chainOf(deps, id);
      if (chain === null) report.missing.push(id);
      else links.push(...chain);
    }
    report.histories.push(...(await deps.replay(links)));
    report.next = next;
    left -= taken;
  } while (left > 0 && report.next !== null && Date.now() < until);
  return report;
}

/** Runs that are named are all meant. */
function mostOf({ runIds, last }: ReplayRuns): number {
  if (runIds && runIds.length > MOST_RUNS) throw argumentInvalid('runIds', `must be at most ${MOST_RUNS}`);
  const most = last ?? DEFAULT_LAST;
  if (most < 1 || most > MOST_RUNS) throw argumentInvalid('last', `must be 1 to ${MOST_RUNS}`);
  return runIds ? MOST_RUNS : most;
}

async function chainOf({ temporal }: RunsDeps, workflowId: string): Promise<ReplayLink[] | null> {
  try {
    return (await readChain(temporal, workflowId)).map((history) => ({ workflowId, history }));
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
