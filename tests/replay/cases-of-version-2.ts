import type { WorkflowHandle } from '@temporalio/client';
import type { NodeDefinition, WorkflowDefinition } from '../../domain/runs/definition.ts';
import {
  APPROVE_UPDATE,
  DELIVER_UPDATE,
  EVENT_SIGNAL,
  MIGRATE_UPDATE,
  PAUSE_UPDATE,
  RESUME_UPDATE,
  RETRY_UPDATE,
  SET_VARIABLE_UPDATE,
  SKIP_UPDATE,
} from '../../domain/runs/messages.ts';
import { casesOfAgents } from './cases-of-agents.ts';
import type { ReplayCase } from './cases.ts';

const by = 'ann';
const post = (id: string, url: string, rest: Partial<NodeDefinition> = {}): NodeDefinition => ({
  id,
  type: 'http',
  config: { url, method: 'POST' },
  retry: { maximumAttempts: 1 },
  ...rest,
});
const get = (id: string, url: string, rest: Partial<NodeDefinition> = {}): NodeDefinition => ({
  id,
  type: 'http',
  config: { url },
  ...rest,
});
const value = (id: string, expression: string, rest: Partial<NodeDefinition> = {}): NodeDefinition => ({
  id,
  type: 'transform',
  config: { value: expression },
  ...rest,
});
const delay = (id: string, durationMs: number, rest: Partial<NodeDefinition> = {}): NodeDefinition => ({
  id,
  type: 'delay',
  config: { durationMs },
  ...rest,
});
const define = (
  name: string,
  nodes: NodeDefinition[],
  edges: WorkflowDefinition['edges'] = [],
  rest: Partial<WorkflowDefinition> = {},
): WorkflowDefinition => ({ name, nodes, edges, ...rest });

/** As soon as the run takes it. */
const send = (handle: WorkflowHandle, update: string, request: object) =>
  eventually(() => handle.executeUpdate(update, { args: [request] }));

/** What version 2 can do beyond version 1. `child` is published as a workflow of that name. */
export function casesOfVersion2(base: string): ReplayCase[] {
  return [
    ...bodies(base),
    ...children(base),
    ...waits(),
    ...operations(base),
    ...undos(base),
    ...links(base),
    ...casesOfAgents(),
  ];
}

/** The workflow that subworkflow nodes of the cases run. */
export const childDefinition = (base: string): WorkflowDefinition =>
  define('replay-child', [get('call', `${base}/ok`), delay('nap', 20)], [{ from: 'call', to: 'nap' }], {
    output: 'nodes.call.output.body',
  });

const bodies = (base: string): ReplayCase[] => [
  {
    name: 'map-inside',
    definition: define(
      'map-inside',
      [
        { id: 'each', type: 'map', config: { items: '[1, 2, 3, 4]', concurrency: 2, onItemError: 'continue' } },
        post('call', `${base}/{{#if (eq index 2)}}missing{{else}}ok{{/if}}`, { parent: 'each' }),
        delay('nap', 20, { parent: 'each' }),
      ],
      [{ from: 'call', to: 'nap' }],
    ),
  },
  {
    name: 'loop-and-switch',
    definition: define(
      'loop-and-switch',
      [
        { id: 'round', type: 'loop', config: { maximumIterations: 4, until: 'pass.index >= 3' } },
        {
          id: 'choose',
          type: 'switch',
          parent: 'round',
          config: { cases: [{ port: 'first', when: 'pass.index == 0' }] },
        },
        get('call', `${base}/ok`, { parent: 'round' }),
        delay('nap', 10, { parent: 'round' }),
        { id: 'count', type: 'set', config: { values: { rounds: 'nodes.round.output.iterations' } } },
        delay('last', 10),
      ],
      [
        { from: 'choose', port: 'first', to: 'call' },
        { from: 'choose', port: 'default', to: 'nap' },
        { from: 'round', port: 'out', to: 'count' },
        { from: 'count', to: 'last' },
      ],
      { variables: { rounds: 0 }, output: 'vars.rounds' },
    ),
  },
  {
    name: 'try-and-error-policies',
    definition: define(
      'try-and-error-policies',
      [
        { id: 'attempt', type: 'try' },
        post('bad', `${base}/missing`, { parent: 'attempt' }),
        post('routed', `${base}/missing`, { onError: 'route' }),
        post('passed', `${base}/missing`, { onError: 'continue', fallback: '"none"' }),
        get('caught', `${base}/ok`),
        { id: 'end', type: 'fail', config: { code: 'ENOUGH', message: 'It is enough' } },
      ],
      [
        { from: 'attempt', port: 'error', to: 'caught' },
        { from: 'routed', port: 'error', to: 'caught' },
        { from: 'passed', port: 'out', to: 'caught' },
        { from: 'caught', to: 'end' },
      ],
    ),
  },
  {
    name: 'fused',
    definition: define(
      'fused',
      [
        get('one', `${base}/ok`, { fuse: true }),
        get('two', `${base}/ok`, { fuse: true }),
        value('sum', '1'),
        get('three', `${base}/ok`, { fuse: true }),
      ],
      [
        { from: 'one', to: 'two' },
        { from: 'two', to: 'sum' },
        { from: 'sum', to: 'three' },
      ],
      { output: 'nodes.three.output.body' },
    ),
  },
];

const children = (base: string): ReplayCase[] => [
  {
    // No server of that name is registered: as above.
    name: 'tool',
    definition: define(
      'tool',
      [
        {
          id: 'ask',
          type: 'tool.call',
          config: { server: 'none', tool: 'echo' },
          onError: 'continue',
          fallback: 'null',
        },
      ],
      [],
      { output: 'nodes.ask.status' },
    ),
  },
  {
    // Nobody here makes vectors: the failure is dealt with by its own policy.
    name: 'embed',
    definition: define(
      'embed',
      [{ id: 'vectors', type: 'model.embed', config: { texts: '["a"]' }, onError: 'continue', fallback: '[]' }],
      [],
      { output: 'nodes.vectors.status' },
    ),
  },
  {
    name: 'map-in-child-runs',
    definition: define(
      'map-in-child-runs',
      [
        { id: 'each', type: 'map', config: { items: 'input', chunkSize: 26, concurrency: 4 } },
        get('call', `${base}/ok`, { parent: 'each' }),
      ],
      [],
      { output: 'size(nodes.each.output.results)' },
    ),
    input: Array.from({ length: 52 }, (_, index) => index),
  },
  {
    name: 'subworkflow',
    definition: define(
      'subworkflow',
      [{ id: 'child', type: 'subworkflow', config: { workflow: 'replay-child' } }, get('after', `${base}/ok`)],
      [{ from: 'child', to: 'after' }],
      { output: 'nodes.child.output' },
    ),
  },
];

const waits = (): ReplayCase[] => [
  {
    name: 'wait-received',
    definition: define(
      'wait-received',
      [
        {
          id: 'paid',
          type: 'wait',
          config: { event: 'paid', correlation: '"7"', timeoutMs: 600_000, onTimeout: 'route' },
        },
        delay('nap', 10),
      ],
      [{ from: 'paid', port: 'received', to: 'nap' }],
    ),
    drive: async (handle) => {
      await handle.signal(EVENT_SIGNAL, { id: 'e1', name: 'paid', correlation: '8', data: 1 });
      await handle.signal(EVENT_SIGNAL, { id: 'e2', name: 'paid', correlation: '7', data: 2 });
    },
  },
  {
    name: 'wait-timed-out',
    definition: define(
      'wait-timed-out',
      [
        { id: 'paid', type: 'wait', config: { event: 'paid', timeoutMs: 150, onTimeout: 'route' } },
        { id: 'at', type: 'until', config: { at: 'timestamp("2020-01-01T00:00:00Z")' } },
        delay('nap', 10),
      ],
      [{ from: 'paid', port: 'timed_out', to: 'nap' }],
    ),
  },
  {
    name: 'webhook',
    definition: define('webhook', [{ id: 'hook', type: 'webhook', config: { timeoutMs: 600_000, onTimeout: 'fail' } }]),
    drive: (handle) => send(handle, DELIVER_UPDATE, { nodeId: 'hook', data: { ok: true } }),
  },
  {
    name: 'approval-by-several',
    definition: define('approval-by-several', [
      {
        id: 'ask',
        type: 'approval',
        config: {
          title: 'Go on?',
          quorum: 2,
          assignees: '["ann", "bob"]',
          escalation: [{ afterMs: 100, assignees: ['carl'] }],
          timeoutMs: 600_000,
        },
      },
    ]),
    drive: async (handle) => {
      for (const decidedBy of ['ann', 'bob']) {
        await send(handle, APPROVE_UPDATE, {
          nodeId: 'ask',
          decision: 'APPROVED',
          comment: null,
          data: null,
          decidedBy,
        });
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    },
  },
  {
    name: 'emit',
    definition: define('emit', [{ id: 'tell', type: 'emit', config: { event: 'told', data: '{"n": 1}' } }]),
  },
];

const operations = (base: string): ReplayCase[] => [
  {
    name: 'paused-retried-skipped',
    definition: define(
      'paused-retried-skipped',
      [post('bad', `${base}/second-time/retried`), post('worse', `${base}/missing`), get('after', `${base}/ok`)],
      [
        { from: 'bad', to: 'after' },
        { from: 'worse', to: 'after' },
      ],
      { variables: { seen: 0 }, policies: { onNodeFailure: 'pause' }, output: 'vars.seen' },
    ),
    drive: async (handle) => {
      await send(handle, RETRY_UPDATE, { nodeId: 'bad', by });
      await send(handle, SET_VARIABLE_UPDATE, { name: 'seen', value: 7, by });
      await send(handle, SKIP_UPDATE, { nodeId: 'worse', output: 'skipped', by });
    },
  },
  {
    name: 'paused-and-resumed',
    definition: define(
      'paused-and-resumed',
      [delay('nap', 300), get('after', `${base}/ok`)],
      [{ from: 'nap', to: 'after' }],
    ),
    drive: async (handle) => {
      await send(handle, PAUSE_UPDATE, { reason: 'lunch', by });
      await new Promise((resolve) => setTimeout(resolve, 500));
      await send(handle, RESUME_UPDATE, { by });
    },
  },
];

const undos = (base: string): ReplayCase[] => [
  {
    name: 'undone-after-failure',
    definition: define(
      'undone-after-failure',
      [
        post('book', `${base}/ok`, { undo: { type: 'http', config: { url: `${base}/ok`, method: 'POST' } } }),
        post('pay', `${base}/ok`, { undo: { type: 'http', config: { url: `${base}/ok`, method: 'POST' } } }),
        post('ship', `${base}/missing`),
      ],
      [
        { from: 'book', to: 'pay' },
        { from: 'pay', to: 'ship' },
      ],
    ),
  },
  {
    name: 'undone-after-cancel',
    definition: define(
      'undone-after-cancel',
      [
        post('book', `${base}/ok`, { undo: { type: 'http', config: { url: `${base}/ok`, method: 'POST' } } }),
        post('hangs', `${base}/hang`),
        delay('nap', 600_000),
      ],
      [{ from: 'book', to: 'hangs' }],
    ),
    drive: async (handle, reached) => {
      await reached('hangs');
      await handle.cancel();
    },
  },
];

const links = (base: string): ReplayCase[] => [
  {
    name: 'continued-as-new',
    definition: define(
      'continued-as-new',
      [
        {
          id: 'round',
          type: 'loop',
          config: { maximumIterations: 8, onBound: 'route', state: '{"n": 0}', next: '{"n": pass.state.n + 1}' },
        },
        post('call', `${base}/ok`, { parent: 'round' }),
        { id: 'ask', type: 'approval', config: { title: 'Go on?', timeoutMs: 2_000, onTimeout: 'route' } },
      ],
      [],
      { policies: { continueAsNewAfterEvents: 20 } },
    ),
  },
  {
    name: 'migrated',
    definition: define('migrated', [get('one', `${base}/ok`), delay('nap', 1_500)], [{ from: 'one', to: 'nap' }]),
    drive: async (handle) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const definition = define(
        'migrated',
        [get('first', `${base}/ok`), delay('nap', 1_500), value('more', '1')],
        [
          { from: 'first', to: 'nap' },
          { from: 'nap', to: 'more' },
        ],
        { output: 'nodes.more.output' },
      );
      const request = { version: 2, hash: '1'.repeat(64), mapping: { one: 'first' }, by, reason: null };
      await handle.executeUpdate(MIGRATE_UPDATE, { args: [request, { weftDefinition: definition }] });
    },
  },
];

async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (tries >= 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
