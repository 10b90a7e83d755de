import { setTimeout as sleep } from 'node:timers/promises';

export type Checks = Readonly<Record<string, () => Promise<unknown>>>;
export type Readiness = { ready: boolean; checks: Record<string, 'up' | 'down'> };

const CHECK_MS = 2000;

/** Asks everything at once; what does not answer in time is down. */
export async function readiness(checks: Checks): Promise<Readiness> {
  const states = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const late = sleep(CHECK_MS, false, { ref: false });
      const up = await Promise.race([check().then(() => true), late]).catch(() => false);
      return [name, up ? 'up' : 'down'] as const;
    }),
  );
  return { ready: states.every(([, state]) => state === 'up'), checks: Object.fromEntries(states) };
}
