import type { WorkflowHandle } from '@temporalio/client';
import type { Json } from '../../domain/json.ts';
import type { NodeDefinition, WorkflowDefinition } from '../../domain/runs/definition.ts';
import { APPROVE_UPDATE, STATE_QUERY } from '../../domain/runs/messages.ts';

export type ReplayCase = {
  name: string;
  definition: WorkflowDefinition;
  input?: Json;
  /** What happens to the run from outside. */
  drive?: (handle: WorkflowHandle, reached: (nodeId: string) => Promise<void>) => Promise<unknown>;
};

async function answer(handle: WorkflowHandle, decision: string): Promise<void> {
  await handle.query(STATE_QUERY);
  await handle.executeUpdate(APPROVE_UPDATE, {
    args: [{ nodeId: 'ask', decision, comment: 'so be it', data: { by: 'hand' }, decidedBy: 'ann' }],
  });
}

const http = (id: string, url: string, rest: Partial<NodeDefinition> = {}): NodeDefinition => ({
  id,
  type: 'http',
  config: { url },
  ...rest,
});
const delay = (id: string, durationMs: number | string): NodeDefinition => ({
  id,
  type: 'delay',
  config: { durationMs },
});
const once = { maximumAttempts: 1 };

/** Every node type and ending of interpreter version 1. `base` is the address of `answerCalls`. */
export function casesOfVersion1(base: string): ReplayCase[] {
  return [
    inline(),
    parallelCalls(base),
    largeValue(base),
    text(),
    ...failures(base),
    ...approvals(),
    ...cancellations(base),
  ];
}

const inline = (): ReplayCase => ({
  name: 'inline',
  input: { n: 3, words: ['a', 'b'] },
  definition: {
    name: 'inline',
    nodes: [
      { id: 'sum', type: 'transform', config: { value: { total: 'input.n + 1', list: 'input.words' } } },
      { id: 'text', type: 'template', config: { template: '{{nodes.sum.output.total}} {{join input.words ","}}' } },
      { id: 'many', type: 'branch', config: { condition: 'nodes.sum.output.total > 2' } },
      delay('nap', 'input.n * 5'),
      { id: 'few', type: 'transform', config: { value: '0' } },
      { id: 'first', type: 'merge', config: { mode: 'first' } },
      { id: 'list', type: 'merge', config: { mode: 'list' } },
      { id: 'all', type: 'merge' },
    ],
    edges: [
      { from: 'sum', to: 'text' },
      { from: 'text', to: 'many' },
      { from: 'many', port: 'true', to: 'nap' },
      { from: 'many', port: 'false', to: 'few' },
      { from: 'nap', to: 'first' },
      { from: 'few', to: 'first' },
      { from: 'text', to: 'list' },
      { from: 'first', to: 'list' },
      { from: 'list', to: 'all' },
      { from: 'nap', to: 'all' },
    ],
    output: { all: 'nodes.all.output', text: 'nodes.text.output' },
  },
});

const parallelCalls = (base: string): ReplayCase => ({
  name: 'parallel-calls',
  definition: {
    name: 'parallel-calls',
    nodes: [
      http('left', `${base}/ok`),
      http('right', `${base}/slow`),
      http('again', `${base}/second-time/parallel`, { retry: { maximumAttempts: 3, initialIntervalMs: 50 } }),
      { id: 'join', type: 'merge', config: { mode: 'list' } },
      http('after', `${base}/ok`, { name: 'After them' }),
    ],
    edges: [
      { from: 'left', to: 'join' },
      { from: 'right', to: 'join' },
      { from: 'again', to: 'join' },
      { from: 'join', to: 'after' },
    ],
    output: 'nodes.after.output.body',
  },
});

const largeValue = (base: string): ReplayCase => ({
  name: 'large-value',
  definition: {
    name: 'large-value',
    nodes: [
      http('fetch', `${base}/large`),
      { id: 'size', type: 'transform', config: { value: 'size(nodes.fetch.output.body)' } },
      http('use', `${base}/ok`, { config: { url: `${base}/ok`, method: 'POST', body: 'nodes.fetch.output.body' } }),
    ],
    edges: [
      { from: 'fetch', to: 'size' },
      { from: 'size', to: 'use' },
    ],
    output: 'nodes.size.output',
  },
});

const text = (): ReplayCase => ({
  name: 'text',
  input: {
    text: 'The quick brown fox jumps over the lazy dog. The dog sleeps on. Foxes are quick and dogs are kind. '.repeat(
      6,
    ),
  },
  definition: {
    name: 'text',
    nodes: [
      { id: 'read', type: 'content.analyze', config: { text: 'input.text', maxKeywords: 2, maxConcepts: 2 } },
      {
        id: 'write',
        type: 'model.complete',
        config: {
          source: 'input.text',
          values: { words: 'nodes.read.output.words' },
          prompt: 'Of {{words}} words.',
        },
      },
    ],
    edges: [{ from: 'read', to: 'write' }],
    output: 'nodes.read.output.words',
  },
});

const failures = (base: string): ReplayCase[] => [
  {
    name: 'failed-drain',
    definition: {
      name: 'failed-drain',
      nodes: [
        http('bad', `${base}/missing`),
        http('lost', `${base}/ok`),
        http('good', `${base}/slow`),
        delay('nap', 300),
        http('last', `${base}/ok`),
      ],
      edges: [
        { from: 'bad', to: 'lost' },
        { from: 'good', to: 'nap' },
        { from: 'nap', to: 'last' },
      ],
    },
  },
  {
    name: 'failed-cancel',
    definition: {
      name: 'failed-cancel',
      nodes: [
        delay('first', 200),
        http('bad', `${base}/missing`),
        http('hangs', `${base}/hang`),
        delay('nap', 600_000),
        { id: 'ask', type: 'approval', config: { title: 'Go on?', timeoutMs: 600_000 } },
      ],
      edges: [{ from: 'first', to: 'bad' }],
      policies: { onNodeFailure: 'cancel' },
    },
  },
  {
    name: 'call-timed-out',
    definition: {
      name: 'call-timed-out',
      nodes: [
        http('hangs', `${base}/hang`, {
          retry: { ...once, maximumAttempts: 2, initialIntervalMs: 20 },
          timeouts: { startToCloseMs: 300 },
        }),
      ],
      edges: [],
    },
  },
  {
    name: 'nobody-polls',
    definition: {
      name: 'nobody-polls',
      nodes: [http('waits', `${base}/ok`, { taskQueue: 'nobody', timeouts: { scheduleToStartMs: 300 } })],
      edges: [],
    },
  },
  {
    name: 'output-invalid',
    definition: {
      name: 'output-invalid',
      nodes: [delay('nap', 10)],
      edges: [],
      output: '1 / (size(nodes.nap.status) - size(nodes.nap.status))',
    },
  },
  {
    name: 'inline-failed',
    definition: {
      name: 'inline-failed',
      nodes: [
        delay('nap', 10),
        { id: 'bad', type: 'transform', config: { value: '1 / input.zero' } },
        delay('other', 100),
      ],
      edges: [{ from: 'nap', to: 'bad' }],
    },
    input: { zero: 0 },
  },
];

function approval(name: string, config: NodeDefinition['config'], drive?: ReplayCase['drive']): ReplayCase {
  return {
    name,
    definition: {
      name,
      nodes: [
        { id: 'ask', type: 'approval', config: { title: 'Go on?', message: '{{input.n}}', ...config } },
        { id: 'yes', type: 'delay', config: { durationMs: 10 } },
        { id: 'no', type: 'transform', config: { value: '"no"' } },
        { id: 'late', type: 'transform', config: { value: '"late"' } },
        { id: 'after', type: 'merge', config: { mode: 'first' } },
      ],
      edges: [
        { from: 'ask', port: 'approved', to: 'yes' },
        { from: 'ask', port: 'rejected', to: 'no' },
        { from: 'ask', port: 'timed_out', to: 'late' },
        { from: 'yes', to: 'after' },
        { from: 'no', to: 'after' },
        { from: 'late', to: 'after' },
      ],
      output: 'nodes.ask.output',
    },
    input: { n: 1 },
    ...(drive ? { drive } : {}),
  };
}

const approvals = (): ReplayCase[] => [
  approval('approved', { timeoutMs: 600_000 }, (handle) => answer(handle, 'APPROVED')),
  approval('rejected', {}, (handle) => answer(handle, 'REJECTED')),
  approval('rejected-fails', { onReject: 'fail' }, (handle) => answer(handle, 'REJECTED')),
  approval('unanswered-fails', { timeoutMs: 150 }),
  approval('unanswered-approves', { timeoutMs: 150, onTimeout: 'approve' }),
  approval('unanswered-rejects', { timeoutMs: 150, onTimeout: 'reject' }),
  approval('unanswered-routes', { timeoutMs: 150, onTimeout: 'route' }),
];

const cancellations = (base: string): ReplayCase[] => [
  {
    name: 'cancelled',
    definition: {
      name: 'cancelled',
      nodes: [
        http('done', `${base}/ok`),
        http('hangs', `${base}/hang`),
        delay('nap', 600_000),
        { id: 'ask', type: 'approval', config: { title: 'Go on?', timeoutMs: 600_000 } },
        http('never', `${base}/ok`),
      ],
      edges: [
        { from: 'done', to: 'hangs' },
        { from: 'hangs', to: 'never' },
      ],
    },
    drive: async (handle, reached) => {
      await reached('hangs');
      await handle.cancel();
    },
  },
  {
    name: 'cancelled-while-failing',
    definition: {
      name: 'cancelled-while-failing',
      nodes: [http('bad', `${base}/missing`), http('hangs', `${base}/hang`), delay('nap', 600_000)],
      edges: [],
    },
    drive: async (handle, reached) => {
      await reached('hangs');
      await handle.cancel();
    },
  },
];
