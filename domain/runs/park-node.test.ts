import { describe, expect, it } from '@jest/globals';
import { nodeId } from '../identifiers.ts';
import { assertCanRetry } from './check-message.ts';
import { compileDefinition } from './compile.ts';
import { decide } from './decide.ts';
import { evolve } from './evolve.ts';
import type { RunEvent } from './run-event.ts';
import { initialState, type RunState } from './run-state.ts';

const ASK = { nodeId: nodeId('ask'), iteration: '1' };
const compiled = compileDefinition({
  name: 'asks',
  nodes: [{ id: 'ask', type: 'model.complete', config: { prompt: 'Hello' } }],
  edges: [],
});
const error = { code: 'CALL_PARKED', message: 'It waits', nodeId: 'ask', hint: null };
const after = (...events: RunEvent[]): RunState =>
  events.reduce((state, event) => evolve(compiled, state, event), initialState(compiled));
const BEGUN: RunEvent[] = [
  { type: 'run.started', at: 1, input: {} },
  { type: 'node.scheduled', at: 2, ...ASK },
  { type: 'node.started', at: 3, attempt: 1, ...ASK },
  { type: 'node.parked', at: 4, until: 1_004, error, ...ASK },
];

describe('an activity that may not go on before a moment', () => {
  it('waits for it by a timer, and then has its turn again from its first attempt', () => {
    const parked = after(...BEGUN);
    expect(parked).toMatchObject({ nodes: [{ status: 'WAITING', attempts: 0, deadline: 1_004 }] });
    expect(decide(compiled, parked)).toEqual([{ type: 'startTimer', ...ASK, durationMs: 1_000 }]);
    const waiting = evolve(compiled, parked, { type: 'timer.started', at: 4, ...ASK });
    expect(waiting.status).toBe('WAITING');
    expect(decide(compiled, waiting)).toEqual([]);
    const woken = evolve(compiled, waiting, { type: 'timer.fired', at: 1_004, ...ASK });
    expect(decide(compiled, woken)).toEqual([{ type: 'scheduleActivity', ...ASK }]);
    const again = evolve(compiled, woken, { type: 'node.scheduled', at: 1_005, ...ASK });
    expect(again.nodes[0]).toMatchObject({ status: 'RUNNING', startedAt: 2 });
    expect(evolve(compiled, again, { type: 'node.completed', at: 1_006, output: 'hi', ...ASK }).nodes[0]).toMatchObject(
      {
        status: 'COMPLETED',
        output: 'hi',
      },
    );
  });

  it('waits on in the next link of a run for what is left of the time', () => {
    const timing = after(...BEGUN, { type: 'timer.started', at: 4, ...ASK }, { type: 'run.continued_as_new', at: 504 });
    const next = evolve(compiled, { ...timing, now: 504 }, { type: 'run.resumed', at: 504, by: null });
    expect(decide(compiled, next)).toEqual([{ type: 'startTimer', ...ASK, durationMs: 500 }]);
  });

  it('may be tried at once when somebody wants it', () => {
    const timing = after(...BEGUN, { type: 'timer.started', at: 4, ...ASK });
    expect(() => assertCanRetry(compiled, timing, { nodeId: ASK.nodeId })).not.toThrow();
    const woken = evolve(compiled, timing, { type: 'node.retry_requested', at: 9, by: 'ada', ...ASK });
    expect(decide(compiled, woken)).toEqual([{ type: 'scheduleActivity', ...ASK }]);
  });

  it('gives up its wait when the run is cancelled', () => {
    const ended = after(...BEGUN, { type: 'run.cancel_requested', at: 5, reason: null });
    expect(ended.nodes[0]?.status).toBe('CANCELLED');
    const late = after(
      ...BEGUN.slice(0, 3),
      { type: 'run.cancel_requested', at: 4, reason: null },
      BEGUN[3] as RunEvent,
    );
    expect(late.nodes[0]?.status).toBe('CANCELLED');
  });
});
