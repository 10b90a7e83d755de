import { afterAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { listPrices } from '../adapters/models/list-prices.ts';
import { createBudgetLedger } from '../adapters/postgres/budget-ledger.ts';
import { createEventRecorder } from '../adapters/postgres/event-recorder.ts';
import { createEffectStore } from '../adapters/postgres/effect-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { loadSettings } from '../config/load.ts';
import { NODE_TYPES, type NodeTypeRow } from '../domain/runs/node-types.ts';
import { extendPools } from '../domain/runs/pools.ts';
import { loadPools } from '../temporal/load-pools.ts';
import { createActivities } from './create-activities.ts';
import { activitiesOf } from './pools.ts';
import { runDependencies } from './run-dependencies.ts';
import { createToolServers } from './tool-servers.ts';

const settings = loadSettings({});
const database = createPool('postgres://unused', 1);
const temporal = new Client({ connection: Connection.lazy() });
const { rooms, close } = createActivities(settings, {
  effects: createEffectStore(database),
  events: createEventRecorder(database),
  runs: runDependencies(database, new Map([['default', temporal]])),
  tokens: null,
  ledger: createBudgetLedger(database, { worker: 'test', leaseMs: 1_000, onError: () => undefined }, async () => 0),
  rules: {
    ...{ prices: listPrices, unknownPrice: 'warn', guards: [] },
    takeQuota: () => Promise.resolve(0),
    onUnknownPrice: () => undefined,
  },
  toolServers: createToolServers(settings, database).servers,
});
const pools = loadPools(settings);
afterAll(close);

describe('the activities of the worker pools', () => {
  it('are those of the node table, each on the queue that its row names', () => {
    const offered = pools.flatMap((pool) =>
      Object.keys(activitiesOf(pool, rooms))
        .filter((type) => !type.startsWith('weft.'))
        .map((type) => `${pool.queue} ${type}`),
    );
    const wanted = Object.entries<NodeTypeRow>(NODE_TYPES)
      .filter(([, row]) => row.class === 'activity')
      .map(([type, row]) => `${row.taskQueue} ${type}`);
    expect(offered.toSorted()).toEqual(wanted.toSorted());
  });

  it('are on a further queue those that its row lists', () => {
    const { pools: extended } = extendPools(pools, {
      pools: [{ queue: 'gpu', activityTypes: ['model.complete', 'http'] }],
    });
    const gpu = extended.find(({ queue }) => queue === 'gpu');
    expect(Object.keys(activitiesOf(gpu!, rooms)).toSorted()).toEqual(['http', 'model.complete']);
  });
});
