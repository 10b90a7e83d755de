import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import type { GraphQlError } from './graphql.ts';
import { type Stack, startStack } from './stack.ts';

const twoApprovals: WorkflowDefinition = {
  name: 'two-approvals',
  nodes: [
    { id: 'first', type: 'approval', config: { title: 'First?' } },
    { id: 'second', type: 'approval', config: { title: 'Second?' } },
    { id: 'never', type: 'transform', config: { value: '1' } },
  ],
  edges: [
    { from: 'first', port: 'approved', to: 'second' },
    { from: 'first', port: 'rejected', to: 'never' },
  ],
  output: 'nodes.second.output',
};

const APPROVE = `mutation ($runId: ID!, $nodeId: ID!, $decision: ApprovalDecision!, $comment: String, $data: JSON) {
  approve(runId: $runId, nodeId: $nodeId, decision: $decision, comment: $comment, data: $data) {
    id status nodes { id status output }
  }
}`;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ env: { WEFT_PAYLOAD_MAX_BYTES: '65536' } });
  await stack.graphql.publish(twoApprovals);
}, 120_000);
afterAll(() => stack?.stop());

async function waitingRun(): Promise<string> {
  const id = await stack.graphql.execute('two-approvals', {});
  await stack.graphql.until(id, ['WAITING']);
  return id;
}
const approve = (runId: string, nodeId: string, more: object = {}) =>
  stack.graphql.send<any>(APPROVE, { runId, nodeId, decision: 'APPROVED', ...more });
const codeOf = ({ errors }: { errors?: GraphQlError[] }) => errors?.[0]?.extensions?.['code'];
const end = (mutation: 'cancelRun' | 'terminateRun', runId: string) =>
  stack.graphql.send<any>(
    `mutation ($runId: ID!) { ${mutation}(runId: $runId, reason: "enough") { id status closedAt } }`,
    {
      runId,
    },
  );

describe('an approval answered through the gateway', () => {
  it('is in the answer itself, and the run goes on to its output', async () => {
    const runId = await waitingRun();
    const data = { signedBy: 'Ada', pages: [1, 2] };
    const first = await approve(runId, 'first', { comment: 'fine', data });
    expect(first.errors).toBeUndefined();
    const expected = { decision: 'APPROVED', comment: 'fine', data, decidedBy: 'operator' };
    expect(first.data.approve).toMatchObject({
      id: runId,
      nodes: [{ id: 'first', status: 'COMPLETED', output: expected }, { id: 'second' }, { id: 'never' }],
    });
    await stack.graphql.until(runId, ['WAITING']);
    await approve(runId, 'second');
    const run = await stack.graphql.until(runId, ['COMPLETED']);
    expect(run.output).toEqual({ decision: 'APPROVED', comment: null, data: null, decidedBy: 'operator' });
    expect(run.nodes.map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED', 'SKIPPED']);
  }, 60_000);

  it('counts once when many answer at once', async () => {
    const runId = await waitingRun();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => approve(runId, 'first', { comment: String(index) })),
    );
    expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(1);
    expect(new Set(answers.map(codeOf))).toEqual(new Set([undefined, 'NOT_WAITING']));
  }, 60_000);

  it('is refused where nothing waits for it', async () => {
    const runId = await waitingRun();
    const tooEarly = await approve(runId, 'second');
    expect(tooEarly.errors?.[0]).toMatchObject({
      message: 'Node second is not waiting: its status is PENDING',
      extensions: { code: 'NOT_WAITING', hint: expect.any(String), service: 'runs' },
    });
    expect(codeOf(await approve(runId, 'never'))).toBe('NOT_WAITING');
    expect(codeOf(await approve(runId, 'nobody'))).toBe('NOT_FOUND');
    expect(codeOf(await approve('run-nothing', 'first'))).toBe('NOT_FOUND');
    expect(codeOf(await approve(runId, 'first', { data: 'x'.repeat(70_000) }))).toBe('PAYLOAD_TOO_LARGE');
    expect((await stack.graphql.run(runId)).status).toBe('WAITING');
  }, 60_000);

  it('is refused once the run is closed', async () => {
    const runId = await waitingRun();
    await end('terminateRun', runId);
    const { errors } = await approve(runId, 'first');
    expect(errors?.[0]).toMatchObject({
      message: `Run ${runId} is already closed (TERMINATED)`,
      extensions: { code: 'RUN_CLOSED' },
    });
  }, 60_000);
});

describe('a run ended through the gateway', () => {
  it('is closed in the answer itself and cannot be ended again', async () => {
    for (const [mutation, status] of [
      ['cancelRun', 'CANCELLED'],
      ['terminateRun', 'TERMINATED'],
    ] as const) {
      const runId = await waitingRun();
      const { data, errors } = await end(mutation, runId);
      expect(errors).toBeUndefined();
      expect(data[mutation]).toEqual({ id: runId, status, closedAt: expect.any(String) });
      expect(codeOf(await end('cancelRun', runId))).toBe('RUN_CLOSED');
      expect(codeOf(await end('terminateRun', runId))).toBe('RUN_CLOSED');
    }
    expect(codeOf(await end('cancelRun', 'run-nothing'))).toBe('NOT_FOUND');
    expect(codeOf(await end('terminateRun', 'run-nothing'))).toBe('NOT_FOUND');
  }, 60_000);

  it('keeps the reason in its events', async () => {
    const runId = await waitingRun();
    await end('cancelRun', runId);
    const { events } = await eventsOf(runId);
    expect(events.find(({ type }) => type === 'run.cancel_requested')?.payload).toMatchObject({ reason: 'enough' });
  }, 60_000);
});

describe('the past of a run through the gateway', () => {
  it('is read event by event, page by page, with the state at each', async () => {
    const runId = await waitingRun();
    await approve(runId, 'first', { decision: 'REJECTED' });
    const run = await stack.graphql.until(runId, ['COMPLETED', 'FAILED']);
    const { events, temporalUrl } = await eventsOf(runId);
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
    expect(events[0]).toMatchObject({ type: 'run.started', nodeId: null, occurredAt: expect.any(String) });
    expect(events.find(({ type }) => type === 'approval.decided')).toMatchObject({ nodeId: 'first' });
    const page = await eventsOf(runId, { after: 2, first: 3 });
    expect(page.events).toEqual(events.slice(2, 5));

    const last = events.length;
    const states = await stack.graphql.send<any>(
      `query ($id: ID!) { run(id: $id) { none: stateAt(eventId: 0) one: stateAt(eventId: 1) last: stateAt(eventId: ${last}) } }`,
      { id: runId },
    );
    const { none, one, last: final } = states.data.run;
    expect(none).toBeNull();
    expect(one.nodes.first.status).toBe('WAITING');
    expect(final.status).toBe(run.status);
    expect(run.nodes.map(({ id, status }) => [id, status])).toEqual(
      run.nodes.map(({ id }) => [id, final.nodes[id].status]),
    );
    expect(temporalUrl).toMatch(new RegExp(`/namespaces/${stack.namespace}/workflows/${runId}/[0-9a-f-]{36}/history$`));
  }, 60_000);
});

type EventView = { id: number; type: string; nodeId: string | null; occurredAt: string; payload: any };

async function eventsOf(id: string, page: { after?: number; first?: number } = {}) {
  const { data } = await stack.graphql.send<{ run: { events: EventView[]; temporalUrl: string } }>(
    `query ($id: ID!, $after: Int, $first: Int) {
      run(id: $id) { temporalUrl events(after: $after, first: $first) { id type nodeId occurredAt payload } }
    }`,
    { id, ...page },
  );
  return data.run;
}
