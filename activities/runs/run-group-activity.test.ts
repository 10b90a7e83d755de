import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import { createHttpClient } from '../../adapters/http/http-client.ts';
import type { NodeDefinition } from '../../domain/runs/definition.ts';
import type { GroupInput, GroupOutput } from '../../domain/runs/run-group.ts';
import type { EffectCall } from '../../domain/tools/effect.ts';
import { activityEnvironment } from '../../tests/activity-environment.ts';
import { noLedger } from '../../tests/no-ledger.ts';
import { noRecorder } from '../../tests/no-recorder.ts';
import { createToolActivities } from '../tools/tool-activities.ts';
import { runGroupActivity } from './run-group-activity.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const client = createHttpClient({ allowedHosts: ['127.0.0.1'], maxResponseBytes: 1_000_000 });
const call = (id: string, url: string, more: Partial<NodeDefinition> = {}): NodeDefinition => ({
  ...{ id, type: 'http', config: { url, method: 'PUT' } },
  ...more,
});
const group = (members: NodeDefinition[]): GroupInput => ({
  ...{ iteration: '3', members, input: { who: 'ada' }, run: { workflow: 'w' }, vars: {}, bindings: {}, nodes: {} },
});
const environment = () =>
  activityEnvironment({ activityId: '7', workflowExecution: { workflowId: 'run-1', runId: 'r' } });
const run = (activity: ReturnType<typeof runGroupActivity>, input: GroupInput) =>
  environment().run<[GroupInput], GroupOutput, typeof activity>(activity, input);

describe('weft.group', () => {
  it('runs the activities of its members with the keys that they would have by themselves', async () => {
    const keys: unknown[] = [];
    const begun: EffectCall[] = [];
    const url = await serve((request, response) => {
      keys.push(request.headers['idempotency-key']);
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ path: request.url }));
    });
    const effects = { ...noLedger, begin: (one: EffectCall) => (begun.push(one), noLedger.begin(one, {} as never)) };
    const activities = createToolActivities({ client, effects, events: noRecorder });
    const members = [
      call('one', `${url}/{{input.who}}`),
      { id: 'between', type: 'transform', config: { value: 'nodes.one.output.body.path + "/2"' } },
      call('two', `${url}{{nodes.between.output}}`),
    ];
    const { results } = await run(runGroupActivity(activities), group(members));
    expect(results).toMatchObject([
      { nodeId: 'one', iteration: '3', output: { body: { path: '/ada' } } },
      { nodeId: 'two', iteration: '3', output: { body: { path: '/ada/2' } } },
    ]);
    expect(results.every(({ startedAt, closedAt }) => closedAt >= startedAt)).toBe(true);

    const alone = activityEnvironment({ activityId: 'two#3', workflowExecution: { workflowId: 'run-1', runId: 'r' } });
    await alone.run(activities.http, { url, method: 'PUT' as const });
    expect(keys[1]).toBe(keys[2]);
    expect(begun.map(({ runId, nodeId, iteration, kind }) => [runId, nodeId, iteration, kind])).toEqual([
      ['run-1', 'one', '3', 'http'],
      ['run-1', 'two', '3', 'http'],
      ['run-1', 'two', '3', 'unknown'],
    ]);
  });

  it('stops at the first that fails, and says whether trying again may help', async () => {
    const url = await serve((request, response) => response.writeHead(request.url === '/no' ? 404 : 503).end());
    const activities = runGroupActivity(createToolActivities({ client, effects: noLedger, events: noRecorder }));
    const failing = async (member: NodeDefinition) =>
      (await run(activities, group([member, call('after', url)]))).results;
    expect(await failing(call('one', `${url}/no`))).toMatchObject([
      { nodeId: 'one', error: { code: 'HTTP_STATUS', nodeId: 'one' }, retryable: false },
    ]);
    expect(await failing(call('one', url))).toMatchObject([{ error: { code: 'HTTP_UNAVAILABLE' }, retryable: true }]);
    const final = call('one', url, { retry: { nonRetryableCodes: ['HTTP_UNAVAILABLE'] } });
    expect(await failing(final)).toMatchObject([{ error: { code: 'HTTP_UNAVAILABLE' }, retryable: false }]);
    expect(await failing({ id: 'one', type: 'model.complete', config: { prompt: 'x' } })).toMatchObject([
      { error: { code: 'NODE_FAILED' }, retryable: true },
    ]);
  });

  it('ends a member at its timeout, closing its socket', async () => {
    const closed = Promise.withResolvers<void>();
    const url = await serve((request) => void request.socket.on('close', () => closed.resolve()));
    const activity = runGroupActivity(createToolActivities({ client, effects: noLedger, events: noRecorder }));
    const slow = call('slow', url, { timeouts: { startToCloseMs: 1_000 } });
    const { results } = await run(activity, group([slow]));
    expect(results).toMatchObject([{ nodeId: 'slow', error: { code: 'NODE_TIMED_OUT' }, retryable: true }]);
    await closed.promise;
  });

  it('is cancelled with the member at work', async () => {
    const reached = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    const url = await serve((request) => {
      reached.resolve();
      request.socket.on('close', () => closed.resolve());
    });
    const outer = environment();
    const activity = runGroupActivity(createToolActivities({ client, effects: noLedger, events: noRecorder }));
    const running = outer.run(activity, group([call('one', url), call('two', url)]));
    await reached.promise;
    outer.cancel();
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);
    await closed.promise;
  });
});
