import type { RunRecord } from '../../domain/runs/run-record.ts';
import type { RunsContext } from './resolvers.ts';

export const flowResolvers = {
  Run: {
    queue: (run: RunRecord, _: unknown, { loaders }: RunsContext) =>
      run.status === 'PENDING' ? loaders.queue.load(run.id) : null,
  },
};
