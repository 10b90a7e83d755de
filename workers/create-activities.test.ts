import { afterAll, describe, expect, it } from '@jest/globals';
import { loadSettings } from '../config/load.ts';
import { NODE_TYPES, type NodeTypeRow } from '../domain/runs/node-types.ts';
import { createActivities } from './create-activities.ts';
import { workerPools } from './pools.ts';

const settings = loadSettings({});
const { rooms, close } = createActivities(settings);
afterAll(close);

describe('the activities of the worker pools', () => {
  it('are those of the node table, each on the queue that its row names', () => {
    const offered = workerPools(settings).flatMap(({ queue, rooms: names }) =>
      names.flatMap((name) => Object.keys(rooms[name]).map((type) => `${queue} ${type}`)),
    );
    const wanted = Object.entries<NodeTypeRow>(NODE_TYPES)
      .filter(([, row]) => row.class === 'activity')
      .map(([type, row]) => `${row.taskQueue} ${type}`);
    expect(offered.toSorted()).toEqual(wanted.toSorted());
  });
});
