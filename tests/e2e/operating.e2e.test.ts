import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json } from '../../domain/json.ts';
import { chain, type EngineSite, startEngineSite, transform } from './engine-site.ts';

let site: EngineSite;

beforeAll(async () => {
  site = await startEngineSite();
}, 120_000);
afterAll(() => site?.stop());

describe('waiting on Temporal', () => {
  it('an event wakes the wait that asks for its correlation, one that came before is kept', async () => {
    const id = await site.start(
      {
        name: 'waits',
        nodes: [
          { id: 'paid', type: 'wait', config: { event: 'paid', correlation: 'input.order' } },
          { id: 'packed', type: 'wait', config: { event: 'packed' } },
          { id: 'never', type: 'wait', config: { event: 'never', timeoutMs: 50, onTimeout: 'route' } },
        ],
        edges: [
          { from: 'paid', port: 'received', to: 'packed' },
          { from: 'packed', port: 'received', to: 'never' },
        ],
        output: { paid: 'nodes.paid.output.data', packed: 'nodes.packed.output.data', never: 'nodes.never.port' },
      },
      { order: 'o-1' },
    );
    await site.stack.graphql.until(id, ['WAITING']);
    const handle = site.stack.temporal.client.workflow.getHandle(id);
    await handle.signal('event', { id: 'e1', name: 'packed', correlation: null, data: 3 });
    await handle.signal('event', { id: 'e2', name: 'paid', correlation: 'o-2', data: 1 });
    await handle.signal('event', { id: 'e3', name: 'paid', correlation: 'o-1', data: 2 });
    const run = await site.stack.graphql.until(id, ['COMPLETED']);
    expect(run.output).toEqual({ paid: 2, packed: 3, never: 'timed_out' });
  }, 60_000);

  it('an approval closes at its quorum, refuses strangers, second answers and data that break its form', async () => {
    const id = await site.start({
      name: 'quorum',
      nodes: [
        {
          id: 'ask',
          type: 'approval',
          config: {
            title: 'Go?',
            assignees: '["ann", "bob", "cy"]',
            quorum: 2,
            form: { type: 'object', required: ['amount'], properties: { amount: { type: 'number' } } },
          },
        },
      ],
      edges: [],
      output: { by: 'nodes.ask.output.answers.map(a, a.decidedBy)' },
    });
    await site.stack.graphql.until(id, ['WAITING']);
    const answer = (decidedBy: string, data: Json = { amount: 1 }) =>
      site.mutate('approve', { runId: id, nodeId: 'ask', decision: 'APPROVED', decidedBy, data });
    await expect(answer('eve')).rejects.toThrow('NOT_ASSIGNEE');
    await expect(answer('ann', { amount: 'much' })).rejects.toThrow('INPUT_INVALID');
    await answer('ann');
    await expect(answer('ann')).rejects.toThrow('ALREADY_ANSWERED');
    await answer('bob');
    expect((await site.stack.graphql.until(id, ['COMPLETED'])).output).toEqual({ by: ['ann', 'bob'] });
  }, 60_000);
});

describe('operating a run on Temporal', () => {
  it('paused, nothing starts; a variable changed and a node skipped have effect; resumed, it goes on', async () => {
    const id = await site.start({
      name: 'operated',
      variables: { rate: 1 },
      nodes: [
        { id: 'hold', type: 'delay', config: { durationMs: 300 } },
        site.post('call', '/operated/call'),
        transform('after', 'vars.rate * 10'),
      ],
      edges: chain('hold', 'call', 'after'),
      output: { after: 'nodes.after.output', call: 'nodes.call.output' },
    });
    await site.mutate('pauseRun', { runId: id });
    await site.stack.graphql.until(id, ['PAUSED']);
    await sleep(600);
    expect(site.ledger.effects('/operated/call')).toBe(0);
    await site.mutate('setVariable', { runId: id, name: 'rate', value: 7 });
    await site.mutate('skipNode', { runId: id, nodeId: 'call', output: { made: 'up' } });
    await site.mutate('resumeRun', { runId: id });
    const run = await site.stack.graphql.until(id, ['COMPLETED']);
    expect(run.output).toEqual({ after: 70, call: { made: 'up' } });
    expect(site.ledger.effects('/operated/call')).toBe(0);
  }, 60_000);

  it('a failed node holds the run under the policy pause, until it is retried', async () => {
    const id = await site.start({
      name: 'retried',
      nodes: [
        site.post('call', '/hold/retried', { timeouts: { startToCloseMs: 1000 }, retry: { maximumAttempts: 1 } }),
      ],
      edges: [],
      output: { times: 'nodes.call.output.body.times' },
      policies: { onNodeFailure: 'pause' },
    });
    await site.stack.graphql.until(id, ['PAUSED']);
    await site.mutate('retryNode', { runId: id, nodeId: 'call' });
    expect((await site.stack.graphql.until(id, ['COMPLETED'])).output).toEqual({ times: 2 });
    expect(site.ledger.effects('/hold/retried')).toBe(1);
  }, 60_000);

  it('a node that is skipped while its call is under way is stopped, and what follows has the given output', async () => {
    const id = await site.start({
      name: 'stopped',
      nodes: [
        site.post('call', '/hold/skipped', { timeouts: { startToCloseMs: 120_000 } }),
        transform('after', 'nodes.call.output'),
        { id: 'hold', type: 'delay', config: { durationMs: 8_000 } },
      ],
      edges: chain('call', 'after'),
      output: 'nodes.after.output',
    });
    await site.ledger.called('/hold/skipped', 1);
    await site.mutate('skipNode', { runId: id, nodeId: 'call', output: 5 });
    await site.ledger.aborted('/hold/skipped');
    expect((await site.stack.graphql.run(id)).status).not.toBe('COMPLETED');
    expect((await site.stack.graphql.until(id, ['COMPLETED'])).output).toBe(5);
  }, 60_000);
});
