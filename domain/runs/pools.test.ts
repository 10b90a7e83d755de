import { describe, expect, it } from '@jest/globals';
import { builtInPools, extendPools, type PoolRow } from './pools.ts';
import { queueProblems } from './validate-queues.ts';

const base = builtInPools({ runs: 100, content: 4, models: 16 });
const local = { tenantId: 'default' };
const node = (type: string, taskQueue?: string) => ({ id: 'one', type, ...(taskQueue ? { taskQueue } : {}) });
const problemsOf = (
  nodes: unknown,
  pools: readonly PoolRow[] = base,
  publisher: { tenantId: string; roles?: string[] } = local,
) => queueProblems({ nodes }, pools, publisher);

describe('the table of pools', () => {
  it('takes further pools, and changes of those there are', () => {
    const { pools, problems } = extendPools(base, {
      pools: [
        { queue: 'gpu', activityTypes: ['model.complete'], concurrency: 2, maxPerSecond: 5, memoryMb: 2048 },
        { queue: 'models', maxPerSecondPerWorker: 0.5, activityTypes: ['http'] },
      ],
    });
    expect(problems).toEqual([]);
    expect(pools.map(({ queue }) => queue)).toEqual(['runs', 'content', 'models', 'gpu']);
    expect(pools[3]).toMatchObject({ concurrency: 2, maxPerSecond: 5, memoryMb: 2048, workflows: false });
    expect(pools[2]).toMatchObject({ concurrency: 16, maxPerSecondPerWorker: 0.5 });
    expect(pools[2]?.activityTypes).toEqual(expect.arrayContaining(['model.complete', 'http']));
  });

  it('names every mistake of the file, with its place', () => {
    const { pools, problems } = extendPools(base, {
      pool: [],
      pools: [
        { queue: 'GPU', activityTypes: ['http'], memoryMb: 1 },
        { queue: 'gpu' },
        { queue: 'gpu', activityTypes: ['http'], concurrency: 0, slots: 4 },
        { queue: 'odd', activityTypes: ['htp'] },
        { queue: 'inline', activityTypes: ['transform'], tenants: [] },
      ],
    });
    expect(pools).toHaveLength(base.length);
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      '/pool',
      '/pools/0/queue',
      '/pools/0/memoryMb',
      '/pools/1/activityTypes',
      '/pools/2/concurrency',
      '/pools/2/slots',
      '/pools/3/activityTypes',
      '/pools/4/activityTypes',
      '/pools/4/tenants',
    ]);
    expect(problems.join('\n')).toMatch(/Did you mean http\?/);
    expect(extendPools(base, []).problems).toEqual(['/ must be an object with a list "pools"']);
  });
});

describe('the queues of a definition', () => {
  it('may be those that serve the type of the node, or none', () => {
    expect(problemsOf([node('http'), node('http', 'runs'), node('model.complete', 'models')])).toEqual([]);
  });

  it('must exist', () => {
    expect(problemsOf([node('http'), node('http', 'rans')])).toEqual([
      {
        code: 'QUEUE_UNKNOWN',
        path: '/nodes/1/taskQueue',
        nodeId: 'one',
        message: 'No worker pool serves queue "rans"',
        hint: 'Did you mean runs? Further pools are added by WEFT_POOLS_FILE.',
      },
    ]);
  });

  it('must serve the type', () => {
    expect(problemsOf([node('http', 'models')])).toMatchObject([
      { code: 'QUEUE_NOT_ALLOWED', hint: 'Queues that serve http: runs.' },
    ]);
  });

  it('must serve what undoes a node too', () => {
    const undone = { ...node('http'), undo: { type: 'http', taskQueue: 'models' } };
    expect(problemsOf([undone])).toMatchObject([{ code: 'QUEUE_NOT_ALLOWED', path: '/nodes/0/undo/taskQueue' }]);
  });

  it('must be open to the tenant and to a role of the publisher', () => {
    const gpu = { queue: 'gpu', activityTypes: ['model.complete'] };
    const withPool = (fields: object) => extendPools(base, { pools: [{ ...gpu, ...fields }] }).pools;
    const nodes = [node('model.complete', 'gpu')];
    expect(problemsOf(nodes, withPool({}))).toEqual([]);
    expect(problemsOf(nodes, withPool({ tenants: ['default'] }))).toEqual([]);
    expect(problemsOf(nodes, withPool({ tenants: ['acme'] }))).toMatchObject([{ code: 'QUEUE_NOT_ALLOWED' }]);
    const forOperators = withPool({ roles: ['operator'] });
    expect(problemsOf(nodes, forOperators)).toMatchObject([
      { code: 'QUEUE_NOT_ALLOWED', hint: expect.stringMatching('operator') },
    ]);
    expect(problemsOf(nodes, forOperators, { ...local, roles: ['operator'] })).toEqual([]);
  });

  it('are none of the business of definitions that have no shape', () => {
    for (const nodes of [
      undefined,
      7,
      [null, 3, { type: 'nothing' }, { type: 'http', taskQueue: 7 }, node('delay', 'x')],
    ])
      expect(problemsOf(nodes)).toEqual([]);
  });
});
