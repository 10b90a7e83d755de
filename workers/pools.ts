import type { PoolRow } from '../domain/runs/pools.ts';
import type { TaskQueue } from '../domain/runs/queues.ts';
import type { ActivityRooms } from './create-activities.ts';

export type Room = 'content' | 'models' | 'runs' | 'tools';

/** Rooms whose activities the built-in pools offer, all of them. */
const ROOMS: Readonly<Record<TaskQueue, readonly Room[]>> = {
  runs: ['runs', 'tools'],
  content: ['content'],
  models: ['models'],
};

/** What the workers of a pool offer: the rooms of its queue, and the types that its row lists. */
export function activitiesOf({ queue, activityTypes }: PoolRow, rooms: ActivityRooms): Record<string, unknown> {
  const all: Record<string, unknown> = Object.assign({}, ...Object.values(rooms));
  const own = Object.hasOwn(ROOMS, queue) ? ROOMS[queue as TaskQueue] : [];
  const listed = activityTypes.filter((type) => Object.hasOwn(all, type)).map((type) => [type, all[type]]);
  return Object.assign({}, ...own.map((room) => rooms[room]), Object.fromEntries(listed)) as Record<string, unknown>;
}
