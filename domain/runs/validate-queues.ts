import { isJsonObject } from '../json.ts';
import type { DefinitionProblem } from './definition.ts';
import { isNodeType, nodeTypeRow } from './node-types.ts';
import type { PoolRow } from './pools.ts';
import { didYouMean, problemList, type Report } from './problem-list.ts';

/** On whose behalf a definition is published. */
export type Publisher = { tenantId: string; roles?: readonly string[] };

/**
 * Nodes whose task queue no pool serves, or serves for others. Says nothing of nodes that are wrong in another way: those are
 * for `validateDefinition`.
 */
export function queueProblems(value: unknown, pools: readonly PoolRow[], publisher: Publisher): DefinitionProblem[] {
  const { problems, report } = problemList();
  const nodes = isJsonObject(value) ? value['nodes'] : undefined;
  if (!Array.isArray(nodes)) return problems;
  for (const [index, node] of nodes.entries()) {
    if (!isJsonObject(node)) continue;
    const id = typeof node['id'] === 'string' ? node['id'] : null;
    const path = ['nodes', index];
    for (const [work, place] of [[node, path] as const, [node['undo'], [...path, 'undo']] as const]) {
      if (!isJsonObject(work) || !isNodeType(work['type'])) continue;
      const row = nodeTypeRow(work['type']);
      const queue = work['taskQueue'] ?? row.taskQueue ?? 'runs';
      if (row.class !== 'activity' || typeof queue !== 'string') continue;
      checkQueue({ queue, type: work['type'], id, path: [...place, 'taskQueue'] }, pools, publisher, report);
    }
  }
  return problems;
}

type Placed = { queue: string; type: string; id: string | null; path: readonly (string | number)[] };

function checkQueue(
  { queue, type, id, path }: Placed,
  pools: readonly PoolRow[],
  publisher: Publisher,
  report: Report,
): void {
  const pool = pools.find((candidate) => candidate.queue === queue);
  if (pool === undefined) {
    const names = pools.map((candidate) => candidate.queue);
    report('QUEUE_UNKNOWN', path, id, `No worker pool serves queue ${JSON.stringify(queue)}`, () => {
      return `${didYouMean(queue, names)} Further pools are added by WEFT_POOLS_FILE.`;
    });
    return;
  }
  if (!pool.activityTypes.includes(type)) {
    const serving = pools.filter(({ activityTypes }) => activityTypes.includes(type)).map((one) => one.queue);
    const hint = `Queues that serve ${type}: ${serving.join(', ')}.`;
    report('QUEUE_NOT_ALLOWED', path, id, `The workers of queue ${queue} do not serve ${type}`, hint);
    return;
  }
  const { tenants, roles } = pool;
  if (tenants !== null && !tenants.includes(publisher.tenantId)) {
    const message = `Tenant ${publisher.tenantId} may not use queue ${queue}`;
    report('QUEUE_NOT_ALLOWED', path, id, message, `It is kept for the tenants ${tenants.join(', ')}.`);
  } else if (roles !== null && !roles.some((role) => publisher.roles?.includes(role))) {
    const hint = `It takes one of the roles ${roles.join(', ')}.`;
    report('QUEUE_NOT_ALLOWED', path, id, `You may not use queue ${queue}`, hint);
  }
}
