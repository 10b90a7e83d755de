import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RANDOM_INPUT, type RandomRun, randomRun } from '../../tests/random-definition.ts';
import { compileDefinition } from './compile.ts';
import { decide } from './decide.ts';
import type { WorkflowDefinition } from './definition.ts';
import { evolve } from './evolve.ts';
import { initialState, type RunState } from './run-state.ts';
import { isSettled } from './run-status.ts';
import { type SimulatedResult, simulate, type Simulation } from './simulate.ts';
import { validateDefinition } from './validate.ts';

/** Order of completions: how long each activity and answer takes, and who goes first at the same instant. */
type Schedule = { durations: number[]; picks: number[] };
const schedule: fc.Arbitrary<Schedule> = fc.record({
  durations: fc.array(fc.nat({ max: 999 }), { minLength: 1, maxLength: 20 }),
  picks: fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
});

function play({ definition, outcomeOf }: RandomRun, { durations, picks }: Schedule, more: Partial<Simulation> = {}) {
  let asked = 0;
  let picked = 0;
  return simulate(compileDefinition(definition), {
    input: RANDOM_INPUT,
    results: (nodeId) => {
      const outcome = outcomeOf(nodeId);
      return outcome && { ...outcome, durationMs: durations[asked++ % durations.length] as number };
    },
    pick: (count) => (picks[picked++ % picks.length] as number) % count,
    ...more,
  });
}

function outcome(state: RunState) {
  const nodes = state.nodes.map(({ id, status, output, port, error, input }) => ({
    id,
    status,
    output,
    port,
    error,
    input,
  }));
  const all = { status: state.status, output: state.output, error: state.error, nodes };
  // Which execution's event woke another that waits for the same one is a matter of time; it is seen in the event's id alone.
  return JSON.parse(JSON.stringify(all).replaceAll(/n\d+#[\d.]+/g, 'event')) as typeof all;
}

describe('any valid definition', () => {
  it('has no problems and ends, whatever fails in it and in whatever order', () => {
    const run = fc.oneof(randomRun(), randomRun({ onNodeFailure: 'cancel' }));
    fc.assert(
      fc.property(run, schedule, (random, order) => {
        expect(validateDefinition(random.definition)).toEqual([]);
        const { stuck, state } = play(random, order);
        expect(stuck).toBe(false);
        expect(['COMPLETED', 'FAILED']).toContain(state.status);
        expect(state.nodes.every((node) => isSettled(node.status))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('comes to the same outcome in whatever order completions arrive', () => {
    fc.assert(
      fc.property(randomRun({ onNodeFailure: 'drain' }), fc.tuple(schedule, schedule, schedule), (random, orders) => {
        const [first, ...others] = orders.map((order) => outcome(play(random, order).state));
        for (const other of others) expect(other).toEqual(first);
      }),
      { numRuns: 400 },
    );
  });

  it('folds to the live state after every event', () => {
    fc.assert(
      fc.property(randomRun(), schedule, (random, order) => {
        const compiled = compileDefinition(random.definition);
        const { events, state } = play(random, order);
        let folded = initialState(compiled);
        for (const event of events) folded = evolve(compiled, folded, event);
        expect(folded).toEqual(state);
      }),
      { numRuns: 200 },
    );
  });

  it('is decided the same when asked twice, and not at all once closed', () => {
    fc.assert(
      fc.property(randomRun(), schedule, (random, order) => {
        const compiled = compileDefinition(random.definition);
        let state = initialState(compiled);
        for (const event of play(random, order).events) {
          state = evolve(compiled, state, event);
          expect(decide(compiled, state)).toEqual(decide(compiled, state));
        }
        expect(decide(compiled, state)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('closes when cancelled or terminated at any time, after its undos, and nothing stays open', () => {
    const interrupt = fc.record({
      afterMs: fc.nat({ max: 1500 }),
      by: fc.constantFrom('cancel' as const, 'terminate' as const),
    });
    fc.assert(
      fc.property(randomRun(), interrupt, (random, stop) => {
        const compiled = compileDefinition(random.definition);
        const results = (nodeId: string): SimulatedResult | null => {
          const result = random.outcomeOf(nodeId);
          return result && { ...result, durationMs: 700 };
        };
        const { state, stuck } = simulate(compiled, { input: RANDOM_INPUT, results, interrupt: stop });
        expect(stuck).toBe(false);
        const stopped = stop.by === 'cancel' ? 'CANCELLED' : 'TERMINATED';
        expect(['COMPLETED', 'FAILED', stopped]).toContain(state.status);
        expect(state.nodes.every((node) => isSettled(node.status))).toBe(true);
        if (state.status === 'TERMINATED') expect(state.closedAt).toBe(stop.afterMs);
      }),
      { numRuns: 200 },
    );
  });
});

describe('undoing', () => {
  it('undoes what completed, each once, the last first, when the run ends badly, and nothing otherwise', () => {
    const stop = fc.option(fc.record({ afterMs: fc.nat({ max: 3000 }), by: fc.constant('cancel' as const) }));
    fc.assert(
      fc.property(randomRun(), schedule, stop, (random, order, interrupt) => {
        const { state, events, stuck } = play(random, order, interrupt ? { interrupt } : {});
        expect(stuck).toBe(false);
        const begun = events.flatMap((event) =>
          event.type === 'node.scheduled' && event.nodeId.endsWith('.undo')
            ? [`${event.nodeId}#${event.iteration}`]
            : [],
        );
        const armed = state.undos.map((undo) => `${undo.id}#${undo.iteration}`);
        expect(new Set(armed).size).toBe(armed.length);
        const able = state.undos.flatMap((undo, index) => (undo.startedAt === null ? [] : [armed[index]]));
        if (state.status === 'COMPLETED') expect(begun).toEqual([]);
        else {
          expect(begun).toEqual(able.toReversed());
          expect(state.undos.every((undo) => undo.status === 'COMPLETED' || undo.startedAt === null)).toBe(true);
          expect(state.undos.every((undo) => undo.status !== 'PENDING')).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe('continuing as new', () => {
  it('changes nothing, wherever it happens and however often', () => {
    fc.assert(
      fc.property(randomRun({ onNodeFailure: 'drain' }), schedule, fc.nat({ max: 5 }), (random, order, every) => {
        const plain = play(random, order);
        const linked = play(random, order, { continueAsNew: (step) => step % (every + 1) === 0 });
        expect(linked.stuck).toBe(false);
        expect(outcome(linked.state)).toEqual(outcome(plain.state));
      }),
      { numRuns: 300 },
    );
  });
});

describe('simulate', () => {
  const twoWaits: WorkflowDefinition = {
    name: 'waits',
    nodes: [
      { id: 'pause', type: 'delay', config: { durationMs: 5000 } },
      { id: 'ask', type: 'approval', config: { title: 'Go on?', timeoutMs: 2000, onTimeout: 'route' } },
      { id: 'late', type: 'transform', config: { value: '"too late"' } },
    ],
    edges: [
      { from: 'pause', to: 'ask' },
      { from: 'ask', port: 'timed_out', to: 'late' },
    ],
    output: 'nodes.late.output',
  };

  it('moves its clock without waiting', () => {
    const { state, events } = simulate(compileDefinition(twoWaits), { input: null, results: () => null, startAt: 100 });
    expect(state).toMatchObject({ status: 'COMPLETED', output: 'too late', startedAt: 100, closedAt: 7100 });
    expect(events.map((event) => event.type)).toEqual([
      'run.started',
      'timer.started',
      'timer.fired',
      'timer.started',
      'timer.fired',
      'run.completed',
    ]);
  });

  it('has no child runs for a map that only computes, however many items it has', () => {
    const compiled = compileDefinition({
      name: 'doubles',
      nodes: [
        { id: 'each', type: 'map', config: { items: 'input', chunkSize: 50 } },
        { id: 'twice', type: 'transform', parent: 'each', config: { value: 'item * 2' } },
      ],
      edges: [],
      output: 'nodes.each.output.results',
    });
    const input = Array.from({ length: 5_000 }, (_, index) => index);
    const { state, events } = simulate(compiled, { input, results: () => null });
    expect(state.output).toEqual(input.map((item) => item * 2));
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set(['run.started', 'run.yielded', 'run.ticked', 'run.completed']),
    );
  });

  it('drops the timer of an approval that was answered', () => {
    const results = (nodeId: string): SimulatedResult | null =>
      nodeId === 'ask' ? { decision: 'APPROVED', durationMs: 1999 } : null;
    const { state, events } = simulate(compileDefinition(twoWaits), { input: null, results });
    expect(state.nodes.map((node) => node.status)).toEqual(['COMPLETED', 'COMPLETED', 'SKIPPED']);
    expect(events.filter((event) => event.type === 'timer.fired')).toHaveLength(1);
    expect(state.closedAt).toBe(6999);
  });

  it('is stuck when an approval without a timeout is never answered', () => {
    const definition: WorkflowDefinition = {
      name: 'x',
      nodes: [{ id: 'ask', type: 'approval', config: { title: '?' } }],
      edges: [],
    };
    const { stuck, state } = simulate(compileDefinition(definition), { input: null, results: () => null });
    expect(stuck).toBe(true);
    expect(state.status).toBe('WAITING');
  });
});
