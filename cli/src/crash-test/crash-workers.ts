import type { CrashSite } from './crash-site.ts';
import type { AnsweredCall, WorkerCall } from './temporal-proxy.ts';
import type { WorkerSlot } from './worker-slot.ts';

export type Watcher = {
  beforeReport: (call: WorkerCall) => Promise<boolean>;
  afterAnswer: (call: AnsweredCall) => Promise<boolean>;
};

export type CrashWorkers = {
  /** Who decides from now on what passes. */
  watch: (watcher: Watcher) => void;
  kill: () => Promise<void>;
  /** Opens the next in the place of one that was killed. */
  replace: () => Promise<void>;
  close: () => Promise<void>;
};

/** One worker at work and one that waits to take its place, so that a crash costs no start. */
export async function startCrashWorkers(site: CrashSite): Promise<CrashWorkers> {
  let watcher: Watcher = { beforeReport: () => Promise.resolve(true), afterAnswer: () => Promise.resolve(true) };
  const launch = async () => {
    const slot = await site.startWorker({
      beforeReport: (call) => watcher.beforeReport(call),
      afterAnswer: (call) => watcher.afterAnswer(call),
    });
    slot.ready.catch(() => undefined);
    return slot;
  };
  let current: WorkerSlot = await launch();
  let spare: Promise<WorkerSlot> = launch();
  await current.ready;
  current.open();
  return {
    watch: (next) => {
      watcher = next;
    },
    kill: () => current.kill(),
    replace: async () => {
      current = await spare;
      await current.ready;
      current.open();
      spare = launch();
    },
    close: async () => {
      await Promise.all([current.kill(), spare.then((slot) => slot.kill())]);
    },
  };
}
