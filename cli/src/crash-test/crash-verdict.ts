import { canonicalJson } from '../../../sdk/src/index.ts';
import { type CrashRun, withoutRunId } from './crash-run.ts';
import type { StubCall } from './stub-server.ts';

export type CrashVerdict = {
  /** What is not as in the undisturbed run; nothing when all is well. */
  faults: string[];
  /** Calls that changed something, and how many of them only repeated a key. */
  effects: number;
  repeated: number;
};

export type CrashResult = { run: CrashRun; verdict: CrashVerdict };

const READING = ['GET', 'HEAD'];

/** Whether a run with a crash came to what the undisturbed one came to, with every effect as often. */
export function judgeCrashRun(run: CrashRun, undisturbed: CrashRun): CrashVerdict {
  const faults: string[] = [];
  if (run.status !== undisturbed.status) faults.push(`status ${run.status} instead of ${undisturbed.status}`);
  for (const part of ['output', 'error'] as const) {
    const [got, wanted] = [run, undisturbed].map((one) => canonicalJson(withoutRunId(one[part], one.runId)));
    if (got !== wanted) faults.push(`another ${part}`);
  }
  const [effects, wanted] = [effectsOf(run.calls), effectsOf(undisturbed.calls)];
  for (const [request, count] of effects.counts) {
    const before = wanted.counts.get(request) ?? 0;
    if (count > before) faults.push(`${count} effects of ${request} instead of ${before}`);
  }
  for (const [request, count] of wanted.counts) {
    const now = effects.counts.get(request) ?? 0;
    if (now < count) faults.push(`${now} effects of ${request} instead of ${count}`);
  }
  faults.push(...ledgerFaults(run, undisturbed));
  return { faults, effects: effects.keys, repeated: effects.calls - effects.keys };
}

/** By request, as many as there are idempotency keys: the other side does nothing for a key it knows. */
function effectsOf(calls: readonly StubCall[]): { counts: Map<string, number>; keys: number; calls: number } {
  const changing = calls.filter(({ method }) => !READING.includes(method));
  const firsts = [...new Map(changing.map((call) => [call.key === '' ? call : call.key, call])).values()];
  const counts = new Map<string, number>();
  for (const { method, path } of firsts) counts.set(`${method} ${path}`, (counts.get(`${method} ${path}`) ?? 0) + 1);
  return { counts, keys: firsts.length, calls: changing.length };
}

/** Each execution of a node has at most one receipt, and all that had one have one again. */
function ledgerFaults(run: CrashRun, undisturbed: CrashRun): string[] {
  const receipts = ({ effects }: CrashRun) =>
    effects.filter(({ state }) => state === 'RECEIPT').map(({ nodeId, iteration }) => `${nodeId}#${iteration}`);
  const got = receipts(run);
  const twice = got.filter((place, index) => got.indexOf(place) !== index);
  const missing = receipts(undisturbed).filter((place) => !got.includes(place));
  return [
    ...twice.map((place) => `two receipts of ${place} in the ledger`),
    ...missing.map((place) => `no receipt of ${place} in the ledger`),
  ];
}
