import DataLoader from 'dataloader';
import { readDefinitionVersions } from '../../adapters/postgres/definition-store.ts';
import { listNodeExecutionsOfRuns } from '../../adapters/postgres/node-store.ts';
import { readRunQueues, type RunQueue } from '../../adapters/postgres/run-queue.ts';
import { readRuns } from '../../adapters/postgres/run-store.ts';
import { runId, type RunId } from '../../domain/identifiers.ts';
import type { NodeExecutionRecord, PublishedDefinition, RunRecord } from '../../domain/runs/run-record.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';

export type RunLoaders = {
  /** By run: the version it is pinned to. */
  pinned: DataLoader<Pick<RunRecord, 'workflowId' | 'version'>, PublishedDefinition | undefined, string>;
  nodes: DataLoader<RunId, NodeExecutionRecord[]>;
  run: DataLoader<string, RunRecord | undefined>;
  /** Why a run has not started. */
  queue: DataLoader<RunId, RunQueue | undefined>;
};

/** For one request: what many fields ask for by themselves becomes one query. */
export function createLoaders({ pool }: Pick<RunsDeps, 'pool'>, { tenantId }: Principal): RunLoaders {
  return {
    pinned: new DataLoader(
      async (keys) => {
        const found = await readDefinitionVersions(pool, tenantId, keys);
        const byKey = new Map(found.map((row) => [versionKey(row), row]));
        return keys.map((key) => byKey.get(versionKey(key)));
      },
      { cacheKeyFn: versionKey },
    ),
    nodes: new DataLoader(async (ids) => {
      const found = await listNodeExecutionsOfRuns(pool, ids);
      return ids.map((id) => found.get(id) ?? []);
    }),
    queue: new DataLoader(async (ids) => {
      const found = await readRunQueues(pool, ids);
      return ids.map((id) => found.get(id));
    }),
    run: new DataLoader(async (ids) => {
      const found = await readRuns(pool, tenantId, ids.filter((id) => !id.includes('\0')).map(runId));
      const byId = new Map<string, RunRecord>(found.map((run) => [run.id, run]));
      return ids.map((id) => byId.get(id));
    }),
  };
}

function versionKey({ workflowId, version }: Pick<RunRecord, 'workflowId' | 'version'>): string {
  return `${workflowId}/${version}`;
}
