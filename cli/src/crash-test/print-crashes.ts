import { aligned } from '../aligned.ts';
import type { CrashPoint, PointKind } from './crash-point.ts';
import type { CrashRun } from './crash-run.ts';
import type { CrashResult } from './crash-verdict.ts';

const KINDS: Readonly<Record<PointKind, string>> = {
  event: 'written by Temporal, unknown to the worker',
  report: 'done by the worker, unknown to Temporal',
  call: 'call to the outside not answered',
  activity: 'in the middle of an activity',
};

export type CrashReport = { workflow: string; sound: boolean; undisturbed: CrashRun; results: readonly CrashResult[] };

export function pointText({ kind, nth }: CrashPoint): string {
  return `${KINDS[kind]}, ${nth}`;
}

export function crashTable({ workflow, sound, undisturbed, results }: CrashReport): string {
  const rows = results.map(({ run, verdict }) => [
    run.crashedAfter === null ? 'not reached' : 'killed',
    run.point === null ? '' : pointText(run.point),
    run.crashedAfter === null ? '' : `${run.crashedAfter.id} ${run.crashedAfter.type}`,
    run.status,
    `${(run.ms / 1000).toFixed(1)} s`,
    `${verdict.effects} + ${verdict.repeated}`,
    verdict.faults.join('; ') || 'same',
  ]);
  const killed = results.filter(({ run }) => run.crashedAfter !== null).length;
  const faulty = results.filter(({ verdict }) => verdict.faults.length > 0).length;
  const verdict = sound
    ? `SOUND: ${workflow} was killed at ${killed} points; each time the same result, and no effect twice.`
    : `NOT SOUND: ${workflow} came to something else after ${faulty} of ${killed} kills.`;
  const head = ['', 'where', 'after event', 'status', 'took', 'effects + repeats', 'against the undisturbed run'];
  return [
    aligned([head, ...rows]),
    '',
    `Undisturbed: ${undisturbed.status} in ${(undisturbed.ms / 1000).toFixed(1)} s. A repeat carries the key of a call made before.`,
    verdict,
  ].join('\n');
}
