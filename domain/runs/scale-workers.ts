/** What a queue and its worker processes look like at a moment. */
export type ScaleReading = { at: number; backlog: number; oldestMs: number };

export type ScaleLimits = {
  /** Processes at least and at most. */
  min: number;
  max: number;
  /** Waiting tasks that one process may have before another is started. */
  backlogPerWorker: number;
  /** A task that has waited longer starts another process however short the backlog is. */
  maxWaitMs: number;
  /** After a start nothing more is started for so long: the new process must be seen to help first. */
  settleMs: number;
  /** The queue must have been calm for so long before a process is stopped, and again for the next. */
  calmMs: number;
};

export type ScaleState = {
  workers: number;
  startedAt: number | null;
  /** Since when less than half of what one process fewer would bear has waited. */
  calmSince: number | null;
};

export type ScaleDecision = { state: ScaleState; reason: string | null };

export const initialScale = (min: number): ScaleState => ({ workers: min, startedAt: null, calmSince: null });

/**
 * How many worker processes a queue should have now. Up in steps of at most double, as soon as the last step has settled; down by
 * one after a calm time. Between the two marks nothing changes, so a load near one of them does not start and stop processes.
 */
export function decideScale(limits: ScaleLimits, state: ScaleState, reading: ScaleReading): ScaleDecision {
  const { min, max } = limits;
  const workers = Math.min(max, Math.max(min, state.workers));
  if (workers !== state.workers) return changed(state, workers, reading, 'the limits changed');
  const wanted = Math.ceil(reading.backlog / limits.backlogPerWorker);
  const waitsLong = reading.backlog > 0 && reading.oldestMs > limits.maxWaitMs;
  if (wanted > workers || waitsLong) {
    const settled = state.startedAt === null || reading.at - state.startedAt >= limits.settleMs;
    const target = Math.min(max, Math.max(workers * 2, 1), Math.max(wanted, workers + 1));
    if (!settled || target === workers) return { state: { ...state, calmSince: null }, reason: null };
    const why =
      wanted > workers ? `${reading.backlog} wait` : `one has waited ${Math.round(reading.oldestMs / 100) / 10} s`;
    return changed(state, target, reading, why);
  }
  return whenCalm(limits, { ...state, workers }, reading);
}

function whenCalm(limits: ScaleLimits, state: ScaleState, reading: ScaleReading): ScaleDecision {
  const bearable = (state.workers - 1) * limits.backlogPerWorker;
  // The last process goes only when nothing waits at all.
  const calm = reading.backlog === 0 || reading.backlog * 2 < bearable;
  if (!calm || state.workers === limits.min) return { state: { ...state, calmSince: null }, reason: null };
  const since = state.calmSince ?? reading.at;
  if (reading.at - since < limits.calmMs) return { state: { ...state, calmSince: since }, reason: null };
  return changed(state, state.workers - 1, reading, `calm for ${Math.round((reading.at - since) / 1000)} s`);
}

function changed(state: ScaleState, workers: number, { at }: ScaleReading, reason: string): ScaleDecision {
  const startedAt = workers > state.workers ? at : state.startedAt;
  return { state: { workers, startedAt, calmSince: null }, reason };
}
