import { setTimeout as sleep } from 'node:timers/promises';
import { type Process, startProcess } from '../../tests/e2e/process.ts';

export type Service = 'worker' | 'projector' | 'api';
type Slot = { service: Service; script: string; args: string[]; env: NodeJS.ProcessEnv; process: Process };

export type Chaos = {
  /** SIGKILLs one after the other at random, and starts each again after a moment, until `signal` says enough. */
  run(everyMs: number, signal: AbortSignal): Promise<void>;
  readonly kills: Readonly<Record<Service, number>>;
  /** Of processes that ended by themselves. */
  readonly crashes: readonly string[];
  stop(): Promise<void>;
};

export type Launch = { service: Service; script: string; args?: string[]; env: NodeJS.ProcessEnv };

const START_TRIES = 20;
const STILL_MS = 3_000;

/** Starts the processes and keeps them, so that they can be killed. */
export async function startChaos(launches: readonly Launch[]): Promise<Chaos> {
  const slots: Slot[] = [];
  const kills: Record<Service, number> = { worker: 0, projector: 0, api: 0 };
  const crashes: string[] = [];
  const reviving = new Map<Slot, Promise<void>>();
  let over = false;
  const watch = (slot: Slot) => {
    const { process: watched } = slot;
    const reviveCrashed = async () => {
      const code = await watched.ended;
      if (over || slot.process !== watched) return;
      crashes.push(`${slot.service} ended by itself with ${String(code)}`);
      await revive(slot);
    };
    void reviveCrashed();
  };
  const revive = async (slot: Slot) => {
    for (let tries = 1; !over; tries += 1) {
      try {
        slot.process = await startProcess(slot.script, slot.args, slot.env);
        watch(slot);
        return;
      } catch (error) {
        // On a starved machine a start may take longer than its patience.
        if (tries >= START_TRIES) throw error;
        await sleep(5_000);
      }
    }
  };
  for (const { service, script, args = [], env } of launches) {
    const slot: Slot = { service, script, args, env, process: await startProcess(script, args, env) };
    slots.push(slot);
    watch(slot);
  }
  return {
    kills,
    crashes,
    async run(everyMs, signal) {
      while (!signal.aborted) {
        await sleep(everyMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
        if (signal.aborted) break;
        const slot = slots[Math.floor(Math.random() * slots.length)] as Slot;
        if (reviving.has(slot)) continue;
        const victim = slot.process;
        slot.process = { ...victim };
        await victim.kill();
        kills[slot.service] += 1;
        const again = sleep(Math.random() * STILL_MS).then(() => revive(slot));
        reviving.set(
          slot,
          again.finally(() => reviving.delete(slot)),
        );
      }
      await Promise.all(reviving.values());
    },
    async stop() {
      over = true;
      await Promise.all(slots.map((slot) => slot.process.stop()));
    },
  };
}
