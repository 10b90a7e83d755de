import { describe, expect, it } from '@jest/globals';
import { foldRunEvent } from '../domain/events/fold-run.ts';
import { compileDefinition } from '../domain/runs/compile.ts';
import { initialState, type RunState } from '../domain/runs/run-state.ts';
import { RECORDED, readRecordedHistory } from '../tests/recorded-histories.ts';
import { nextTemporalRunId, ownTemporalRunId } from './history-links.ts';
import { createPayloadDecoder } from './history-payloads.ts';
import { type HistoryStoredEvent, historyToEvents, type NodeRefs, recallNodeRef } from './history-to-events.ts';

const decode = createPayloadDecoder([]);

async function eventsOf(name: (typeof RECORDED)[number]): Promise<HistoryStoredEvent[]> {
  return historyToEvents(readRecordedHistory(name).history.events ?? [], new Map(), decode);
}

async function foldOf(name: (typeof RECORDED)[number]): Promise<RunState> {
  const compiled = compileDefinition(readRecordedHistory(name).definition);
  const events = await eventsOf(name);
  return events.reduce((state, event) => foldRunEvent(compiled, state, event), initialState(compiled));
}

const withoutTasks = (events: readonly HistoryStoredEvent[]) =>
  events.filter(({ type }) => !type.startsWith('workflow_task.') && type !== 'search_attributes.upserted');

describe('mapping recorded histories', () => {
  it.each(RECORDED)('gives one event for each of %s, numbered as Temporal numbers them', async (name) => {
    const events = await eventsOf(name);
    const { history } = readRecordedHistory(name);
    expect(events.map(({ version }) => version)).toEqual(history.events?.map((_, index) => index + 1));
    expect(events.filter(({ type }) => type.startsWith('temporal.'))).toEqual([]);
    expect(events[0]?.occurredAt.getTime()).toBe(
      Math.floor(
        Number(history.events?.[0]?.eventTime?.seconds) * 1000 + (history.events?.[0]?.eventTime?.nanos ?? 0) / 1e6,
      ),
    );
  });

  it('names the node of every activity event and keeps outputs', async () => {
    const events = withoutTasks(await eventsOf('http-then-template'));
    const node = { nodeId: 'call', iteration: '1' };
    expect(events.map(({ type }) => type)).toEqual([
      'run.started',
      'node.scheduled',
      'node.started',
      'node.completed',
      'run.completed',
    ]);
    expect(events.map(({ payload }) => payload)).toMatchObject([
      { input: { who: 'me' } },
      node,
      { ...node, attempt: 1 },
      { ...node, output: { status: 200, body: { answer: 42 } } },
      { output: 'The answer is 42' },
    ]);
  });

  it('turns a failure into the code, the message and the hint of the error table', async () => {
    const events = await eventsOf('http-refused');
    const failed = events.find(({ type }) => type === 'node.failed');
    const ended = events.at(-1);
    expect(failed?.payload).toMatchObject({ nodeId: 'call', error: { code: 'HTTP_STATUS', nodeId: 'call' } });
    expect(ended).toMatchObject({
      type: 'run.failed',
      payload: { error: { code: 'HTTP_STATUS', nodeId: 'call', message: expect.stringContaining('answered 404') } },
    });
  });

  it('says which timeout ended an activity', async () => {
    const failed = (await eventsOf('http-timed-out')).find(({ type }) => type === 'node.failed');
    expect(failed?.payload).toMatchObject({
      error: { code: 'NODE_TIMED_OUT', message: 'The node timed out (START_TO_CLOSE)', hint: expect.any(String) },
    });
  });

  it('knows whose timer was cancelled by an approval and what was decided', async () => {
    const events = withoutTasks(await eventsOf('approved'));
    expect(events.map(({ type }) => type)).toEqual([
      'run.started',
      'timer.started',
      'approval.decided',
      'timer.started',
      'timer.cancelled',
      'update.completed',
      'timer.fired',
      'run.completed',
    ]);
    expect(events.find(({ type }) => type === 'approval.decided')?.payload).toEqual({
      nodeId: 'ask',
      iteration: null,
      decision: 'APPROVED',
      comment: 'fine',
      data: { n: 1 },
      decidedBy: 'ann',
    });
    expect(events.find(({ type }) => type === 'timer.cancelled')?.payload).toEqual({ nodeId: 'ask', iteration: '1' });
  });

  it('reads on from what earlier pages said', async () => {
    const history = readRecordedHistory('approved').history.events ?? [];
    const whole = await eventsOf('approved');
    const paged: HistoryStoredEvent[] = [];
    for (const event of history) {
      const refs: NodeRefs = new Map();
      for (const earlier of paged) recallNodeRef(refs, earlier);
      paged.push(...(await historyToEvents([event], refs, decode)));
    }
    expect(paged).toEqual(whole);
  });
});

describe('folding recorded histories', () => {
  it.each([
    ['http-then-template', 'COMPLETED', { call: 'COMPLETED', say: 'COMPLETED' }],
    ['http-refused', 'FAILED', { call: 'FAILED' }],
    ['http-timed-out', 'FAILED', { call: 'FAILED' }],
    ['approved', 'COMPLETED', { ask: 'COMPLETED', nap: 'COMPLETED' }],
    ['cancelled', 'CANCELLED', { call: 'CANCELLED', nap: 'CANCELLED' }],
    ['terminated', 'TERMINATED', { nap: 'CANCELLED' }],
    ['timed-out', 'TIMED_OUT', { nap: 'CANCELLED' }],
    ['reset', 'COMPLETED', { nap: 'COMPLETED', t: 'COMPLETED' }],
  ] as const)('ends %s as %s', async (name, status, nodes) => {
    const state = await foldOf(name);
    expect(state.status).toBe(status);
    expect(Object.fromEntries(state.nodes.map((node) => [node.id, node.status]))).toEqual(nodes);
  });

  it('starts afresh where a reset history follows another one', async () => {
    const compiled = compileDefinition(readRecordedHistory('reset').definition);
    const events = await eventsOf('reset');
    const twice = [...events, ...events].reduce(
      (state, event) => foldRunEvent(compiled, state, event),
      initialState(compiled),
    );
    expect(twice).toEqual(await foldOf('reset'));
  });
});

describe('links of a run', () => {
  it('finds the own id of a first history and of one made by a reset', () => {
    const plain = readRecordedHistory('approved').history.events ?? [];
    const first = plain[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId;
    expect(ownTemporalRunId(plain)).toEqual({ temporalRunId: first, chainStart: first });
    const reset = readRecordedHistory('reset').history.events ?? [];
    const base = reset[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId;
    const own = ownTemporalRunId(reset)?.temporalRunId;
    expect(own).toMatch(/^[0-9a-f-]{36}$/);
    expect(own).not.toBe(base);
  });

  it('goes on where a history continued as new, and nowhere after any other end', () => {
    const closed = { workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: 'next' } };
    expect(nextTemporalRunId([closed])).toBe('next');
    expect(nextTemporalRunId(readRecordedHistory('terminated').history.events ?? [])).toBeUndefined();
    expect(nextTemporalRunId([])).toBeUndefined();
  });
});
