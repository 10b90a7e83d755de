import { admit, type Candidate } from '../domain/runs/flow-control/admit.ts';
import { NO_TURNS, type Turns } from '../domain/runs/flow-control/fair-turns.ts';
import { type FlowRequest, flowRequest, isTakenOnArrival } from '../domain/runs/flow-control/flow-request.ts';
import { replaceOldest } from '../domain/runs/flow-control/replace-oldest.ts';
import { FLOWS, type FlowBoard } from './flow-model.ts';

type Kept = FlowRequest & { runId: string; sequence: number; since: number };

/** The pure part with nothing around it: what a store has to do, said as shortly as it can be. */
export function memoryFlowBoard(): FlowBoard {
  const waiting = new Map<string, Kept>();
  const held: { runId: string; name: string; sequence: number; leaving: boolean }[] = [];
  const starts = new Map<string, number[]>();
  const dropped: string[] = [];
  let turns: Turns = NO_TURNS;
  let sequence = 0;
  let now = 1_000;
  const holders = (name: string) => held.filter((lease) => lease.name === name).sort((a, b) => a.sequence - b.sequence);
  const take = (run: Kept, names: readonly string[]) =>
    names.forEach((name) => held.push({ runId: run.runId, name, sequence: run.sequence, leaving: false }));

  const board: FlowBoard = {
    async arrive(runId, workflow, input, priority) {
      const flow = flowRequest(FLOWS[workflow], { workflowId: workflow, input, priority });
      const taken = flow.leases.filter(isTakenOnArrival);
      const full = taken.find(({ name, limit }) => holders(name).length >= limit);
      if (full) return full.onLimit === 'skip' ? 'joined' : 'rejected';
      const run: Kept = { ...flow, runId, sequence: (sequence += 1), since: now };
      waiting.set(runId, run);
      take(
        run,
        taken.map(({ name }) => name),
      );
      return 'accepted';
    },
    async pass() {
      now += 1;
      const candidates: Candidate[] = [...waiting.values()].map((run) => ({ ...run, waitedMs: now - run.since }));
      const capacity = {
        held: new Map([...Map.groupBy(held, ({ name }) => name)].map(([name, of]) => [name, of.length])),
        starts,
      };
      const result = admit(candidates, capacity, { turns, now });
      turns = result.turns;
      for (const run of result.admitted) {
        const kept = waiting.get(run.runId) as Kept;
        waiting.delete(run.runId);
        take(
          kept,
          kept.leases.filter((lease) => !isTakenOnArrival(lease)).map(({ name }) => name),
        );
        if (run.rate) starts.set(run.rate.name, [...(starts.get(run.rate.name) ?? []), now]);
      }
      for (const { on } of result.blocked) {
        if (!('onLimit' in on) || on.onLimit !== 'cancel-oldest') continue;
        const line = result.blocked.filter((one) => one.on.name === on.name && waiting.has(one.candidate.runId));
        const runs = line.map(({ candidate }) => candidate).sort((a, b) => a.sequence - b.sequence);
        const { stop, drop } = replaceOldest<{ runId: string }>(holders(on.name), runs, on.limit);
        for (const lease of held) if (stop.some(({ runId }) => runId === lease.runId)) lease.leaving = true;
        for (const { runId } of drop) {
          waiting.delete(runId);
          dropped.push(runId);
        }
      }
      return result.admitted.map(({ runId }) => runId);
    },
    async crashedPass() {},
    async close(runId) {
      for (let index = held.length - 1; index >= 0; index -= 1) if (held[index]?.runId === runId) held.splice(index, 1);
    },
    leases: async () => held.map(({ runId, name }) => ({ runId, name })),
    dropped: async () => dropped.splice(0),
    leaving: async () => held.filter(({ leaving }) => leaving).map(({ runId }) => runId),
    waiting: async () => [...waiting.keys()],
    starts: async () => [...starts.values()],
    nameOf: ({ name }) => name,
    async rest() {
      now += 200;
    },
  };
  return board;
}
