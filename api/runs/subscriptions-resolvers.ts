import { untilLeft } from '../../adapters/graphql/until-left.ts';
import type { RunsDeps } from './deps.ts';
import type { RunsContext } from './resolvers.ts';
import { watchRun, watchRunEvents, type WatchRunEvents, watchRuns, type WatchRuns } from './watch-runs.ts';

/** Each event is what the field gives. */
const resolve = (event: unknown): unknown => event;

export function subscriptionsResolvers(deps: RunsDeps) {
  return {
    Subscription: {
      runUpdated: {
        resolve,
        subscribe: (_: unknown, request: { id: string }, { principal }: RunsContext) =>
          untilLeft((signal) => watchRun(deps, principal, request, signal)),
      },
      runEvents: {
        resolve,
        subscribe: (_: unknown, request: WatchRunEvents, { principal }: RunsContext) =>
          untilLeft((signal) => watchRunEvents(deps, principal, request, signal)),
      },
      runs: {
        resolve,
        subscribe: (_: unknown, request: WatchRuns, { principal }: RunsContext) =>
          untilLeft((signal) => watchRuns(deps, principal, request, signal)),
      },
    },
  };
}
