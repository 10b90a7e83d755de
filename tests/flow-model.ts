import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { FlowPolicies } from '../domain/runs/flow-control/flow-policies.ts';
import { type FlowRequest, flowRequest } from '../domain/runs/flow-control/flow-request.ts';

export const RATE = { limit: 2, periodMs: 150 };
/** A timestamp of Postgres is whole microseconds. */
const CLOCK_MS = 0.01;

/** Workflows by name and the policies that they have; the keys are read from the input. */
export const FLOWS: Readonly<Record<string, FlowPolicies>> = {
  queue: { concurrency: [{ key: 'input.k', limit: 1 }, { limit: 2 }] },
  shared: { concurrency: [{ key: 'input.k', limit: 2, scope: 'tenant' }], fairness: { key: 'input.f', weight: 2 } },
  sharing: { concurrency: [{ key: 'input.k', limit: 2, scope: 'tenant' }] },
  reject: { concurrency: [{ key: 'input.k', limit: 2, onLimit: 'reject' }, { limit: 3 }] },
  replace: { concurrency: [{ key: 'input.k', limit: 2, onLimit: 'cancel-oldest' }] },
  only: { singleton: { key: 'input.k' } },
  latest: { singleton: { key: 'input.k', onConflict: 'cancel' } },
  rated: { rateLimit: { ...RATE, key: 'input.k' }, concurrency: [{ limit: 5 }] },
};

export type Input = { k: string; f: string };
export type HeldLease = { runId: string; name: string };

/** What is tried: in memory over the pure part, or Postgres. Names are comparable within one board. */
export type FlowBoard = {
  arrive(runId: string, workflow: string, input: Input, priority: number): Promise<'accepted' | 'joined' | 'rejected'>;
  /** Runs admitted. */
  pass(): Promise<string[]>;
  /** A pass whose process dies before anything is committed. */
  crashedPass(): Promise<void>;
  /** The run's end becomes known: closed and released in one step. */
  close(runId: string): Promise<void>;
  leases(): Promise<HeldLease[]>;
  /** Runs that were closed without having begun. */
  dropped(): Promise<string[]>;
  leaving(): Promise<string[]>;
  waiting(): Promise<string[]>;
  /** Times of admissions that count for a rate, in order; those of a period at least. */
  starts(): Promise<number[][]>;
  nameOf(lease: FlowRequest['leases'][number]): string;
  /** Lets time pass until rates allow more. */
  rest(): Promise<void>;
};

/** What has to be true, told from the commands alone. */
export class FlowModel {
  readonly requests = new Map<string, FlowRequest>();
  readonly open = new Set<string>();
  readonly closed = new Set<string>();
  readonly board: FlowBoard;
  count = 0;

  constructor(board: FlowBoard) {
    this.board = board;
  }

  async arrive(workflow: string, input: Input, priority: number): Promise<void> {
    const runId = `run-${(this.count += 1)}`;
    const outcome = await this.board.arrive(runId, workflow, input, priority);
    if (outcome === 'accepted')
      this.requests.set(runId, flowRequest(FLOWS[workflow], { workflowId: workflow, input, priority }));
    await this.check();
  }

  async pass(): Promise<number> {
    const admitted = await this.board.pass();
    for (const runId of admitted) {
      expect(this.open.has(runId) || this.closed.has(runId)).toBe(false);
      this.open.add(runId);
    }
    for (const runId of await this.board.dropped()) {
      expect(this.open.has(runId)).toBe(false);
      this.closed.add(runId);
    }
    await this.check();
    return admitted.length;
  }

  async crashedPass(): Promise<void> {
    const before = await this.board.leases();
    await this.board.crashedPass();
    expect(sorted(await this.board.leases())).toEqual(sorted(before));
  }

  async close(choice: number): Promise<void> {
    const runId = [...this.open][choice % Math.max(1, this.open.size)];
    if (runId === undefined) return;
    await this.end(runId);
    await this.check();
  }

  private async end(runId: string): Promise<void> {
    await this.board.close(runId);
    this.open.delete(runId);
    this.closed.add(runId);
  }

  /** No limit is exceeded, no lease is lost or kept, and each run is in one place. */
  async check(): Promise<void> {
    const held = await this.board.leases();
    const waiting = new Set(await this.board.waiting());
    for (const [name, leases] of Map.groupBy(held, (lease) => lease.name)) {
      expect(leases.length).toBeLessThanOrEqual(this.limitOf(name));
    }
    for (const times of await this.board.starts()) expectRate(times);
    const byRun = Map.groupBy(held, (lease) => lease.runId);
    for (const [runId, { leases }] of this.requests) {
      const names = new Set((byRun.get(runId) ?? []).map(({ name }) => name));
      const early = leases.filter(({ onLimit }) => onLimit === 'reject' || onLimit === 'skip');
      const expected = this.closed.has(runId) ? [] : this.open.has(runId) ? leases : early;
      expect(names).toEqual(new Set(expected.map((lease) => this.board.nameOf(lease))));
      expect(waiting.has(runId)).toBe(!this.closed.has(runId) && !this.open.has(runId));
    }
  }

  /** Everything ends: whoever waits is admitted in the end, and nothing is left. */
  async drain(): Promise<void> {
    for (let idle = 0; idle < 5;) {
      while ((await this.pass()) > 0) idle = 0;
      if (this.open.size === 0 && (await this.board.waiting()).length === 0) break;
      // Whoever waits with nobody open waits for a rate.
      if (this.open.size === 0) await this.board.rest();
      idle += 1;
      for (const runId of [...this.open]) await this.end(runId);
    }
    expect(await this.board.leases()).toEqual([]);
    expect(new Set(this.requests.keys())).toEqual(this.closed);
  }

  private limitOf(name: string): number {
    const all = [...this.requests.values()].flatMap(({ leases }) => leases);
    return Math.max(...all.filter((lease) => this.board.nameOf(lease) === name).map(({ limit }) => limit));
  }
}

/** No window has more than the limit, wherever it begins. */
function expectRate(times: readonly number[]): void {
  times.forEach((time, index) => {
    const earlier = times[index - RATE.limit];
    if (earlier !== undefined) expect(time - earlier).toBeGreaterThanOrEqual(RATE.periodMs - CLOCK_MS);
  });
}

const sorted = (leases: readonly HeldLease[]): string[] => leases.map(({ runId, name }) => `${runId} ${name}`).sort();

type Step = (model: FlowModel) => Promise<unknown>;
const key = fc.oneof({ weight: 3, arbitrary: fc.constant('a') }, { weight: 1, arbitrary: fc.constant('b') });

/** A step, and how it is shown when it is part of a counterexample. */
export const flowStep: fc.Arbitrary<{ show: string; run: Step }> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...Object.keys(FLOWS), 'queue', 'queue', 'rated', 'rated', 'shared'),
        key,
        key,
        fc.integer({ min: 1, max: 5 }),
      )
      .map(([workflow, k, f, priority]) => ({
        show: `arrive ${workflow} ${k} ${f} ${priority}`,
        run: (model: FlowModel) => model.arrive(workflow, { k, f }, priority),
      })),
  },
  { weight: 4, arbitrary: fc.constant({ show: 'pass', run: (model: FlowModel) => model.pass() }) },
  { weight: 1, arbitrary: fc.constant({ show: 'crashed pass', run: (model: FlowModel) => model.crashedPass() }) },
  {
    weight: 4,
    arbitrary: fc.nat(20).map((index) => ({ show: `close ${index}`, run: (model: FlowModel) => model.close(index) })),
  },
  { weight: 1, arbitrary: fc.constant({ show: 'rest', run: (model: FlowModel) => model.board.rest() }) },
);
