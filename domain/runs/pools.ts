import { isJsonObject, type JsonObject } from '../json.ts';
import { isNodeType, NODE_TYPES, type NodeTypeRow } from './node-types.ts';
import { didYouMean } from './problem-list.ts';
import { TASK_QUEUES, type TaskQueue } from './queues.ts';

/** A task queue and the workers that serve it: how much at once, how fast, in how much memory, and for whom. */
export type PoolRow = {
  queue: string;
  meaning: string;
  /** Whether its workers also run the workflows. */
  workflows: boolean;
  /** Types of nodes that may be put on the queue, because its workers offer them. */
  activityTypes: readonly string[];
  /** Activities at once in one process. */
  concurrency: number;
  /** Activities a second over all workers, held by the server; null is no limit. */
  maxPerSecond: number | null;
  /** Activities a second that one process begins. */
  maxPerSecondPerWorker: number | null;
  /** What one process may use; above it no further activity is taken. Null leaves it to the targets of the machine. */
  memoryMb: number | null;
  /** Who may publish nodes that name the queue; null is everybody. */
  tenants: readonly string[] | null;
  roles: readonly string[] | null;
};

const MEANINGS: Readonly<Record<TaskQueue, string>> = {
  runs: 'The workflows, and light activities such as http.',
  content: 'Analysis of texts, on threads.',
  models: 'Calls of language models.',
};

/** The pools there always are; every activity type is on the queue that its row names. */
export function builtInPools(concurrency: Readonly<Record<TaskQueue, number>>): PoolRow[] {
  return TASK_QUEUES.map((queue) => ({
    ...newPool(queue),
    meaning: MEANINGS[queue],
    workflows: queue === 'runs',
    activityTypes: Object.entries<NodeTypeRow>(NODE_TYPES)
      .filter(([, row]) => row.class === 'activity' && (row.taskQueue ?? 'runs') === queue)
      .map(([type]) => type),
    concurrency: concurrency[queue],
  }));
}

const newPool = (queue: string): PoolRow => ({
  queue,
  meaning: '',
  workflows: false,
  activityTypes: [],
  concurrency: 10,
  maxPerSecond: null,
  maxPerSecondPerWorker: null,
  memoryMb: null,
  tenants: null,
  roles: null,
});

type Say = (path: string, message: string) => void;
type Check = (value: unknown) => string | null;

const isNumber = (minimum: number, maximum: number, whole: boolean): Check => {
  const kind = whole ? 'a whole number' : 'a number';
  return (value) => {
    const fits = typeof value === 'number' && value >= minimum && value <= maximum;
    return fits && (!whole || Number.isInteger(value)) ? null : `must be ${kind} from ${minimum} to ${maximum}`;
  };
};
const areNames: Check = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== '')
    ? null
    : 'must be a list of names, one at least';
const areActivityTypes: Check = (value) => {
  const wrong = areNames(value);
  if (wrong !== null) return wrong;
  const activities = Object.entries<NodeTypeRow>(NODE_TYPES).filter(([, row]) => row.class === 'activity');
  const known = activities.map(([type]) => type);
  const strange = (value as string[]).find((type) => !known.includes(type));
  if (strange === undefined) return null;
  const why = isNodeType(strange) ? 'runs inside the workflow' : `is unknown; ${didYouMean(strange, known)}`;
  return `${JSON.stringify(strange)} ${why}`;
};

const FIELDS: Readonly<Record<Exclude<keyof PoolRow, 'queue' | 'workflows'>, Check>> = {
  meaning: (value) => (typeof value === 'string' ? null : 'must be a text'),
  activityTypes: areActivityTypes,
  concurrency: isNumber(1, 10_000, true),
  maxPerSecond: isNumber(0.001, 1_000_000, false),
  maxPerSecondPerWorker: isNumber(0.001, 1_000_000, false),
  memoryMb: isNumber(64, 1_048_576, true),
  tenants: areNames,
  roles: areNames,
};

/** Queue names become parts of commands and metric labels. */
const QUEUE_NAME = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * The table with what a file `{"pools": [...]}` says: a row with the queue of an earlier one changes it, and what it lists under
 * `activityTypes` comes on top; any other row is a further pool, which must list some.
 */
export function extendPools(
  base: readonly PoolRow[],
  file: unknown,
): { pools: readonly PoolRow[]; problems: readonly string[] } {
  const problems: string[] = [];
  const say: Say = (path, message) => void problems.push(`${path} ${message}`);
  const listed = isJsonObject(file) ? file['pools'] : undefined;
  if (!isJsonObject(file) || !Array.isArray(listed)) {
    say('/', 'must be an object with a list "pools"');
    return { pools: base, problems };
  }
  for (const name of Object.keys(file)) if (name !== 'pools') say(`/${name}`, 'is unknown');
  const pools = new Map(base.map((pool) => [pool.queue, pool]));
  for (const [index, entry] of listed.entries()) {
    const path = `/pools/${index}`;
    const queue = isJsonObject(entry) ? entry['queue'] : undefined;
    if (!isJsonObject(entry) || typeof queue !== 'string' || !QUEUE_NAME.test(queue)) {
      say(`${path}/queue`, 'must be lower-case letters, digits and hyphens, a letter first');
      if (isJsonObject(entry)) checkEntry(entry, path, say);
      continue;
    }
    const earlier = pools.get(queue);
    if (!checkEntry(entry, path, say)) continue;
    if (earlier === undefined && entry['activityTypes'] === undefined) {
      say(`${path}/activityTypes`, 'is missing: a further pool must say what it serves');
      continue;
    }
    pools.set(queue, merged(earlier ?? newPool(queue), entry));
  }
  return { pools: [...pools.values()], problems };
}

function checkEntry(entry: JsonObject, path: string, say: Say): boolean {
  let sound = true;
  for (const [name, value] of Object.entries(entry)) {
    if (name === 'queue') continue;
    const check = Object.hasOwn(FIELDS, name) ? FIELDS[name as keyof typeof FIELDS] : undefined;
    const wrong = check === undefined ? `is unknown; ${didYouMean(name, Object.keys(FIELDS))}` : check(value);
    if (wrong === null) continue;
    say(`${path}/${name}`, wrong);
    sound = false;
  }
  return sound;
}

function merged(pool: PoolRow, entry: JsonObject): PoolRow {
  const changed = { ...pool, ...(entry as Partial<PoolRow>) };
  return { ...changed, activityTypes: [...new Set([...pool.activityTypes, ...changed.activityTypes])] };
}
