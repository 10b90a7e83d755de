import { readFileSync } from 'node:fs';
import { familyOf } from './process-memory.ts';

const TICKS_A_SECOND = 100;

/** Seconds of CPU that a process and all it has started have used, those included that have ended and were waited for. */
export function cpuSeconds(pid: number): number {
  return familyOf(pid).reduce((sum, member) => sum + ownTicks(member), 0) / TICKS_A_SECOND;
}

function ownTicks(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    // utime, stime, cutime and cstime are fields 14 to 17 of the line.
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  } catch {
    return 0;
  }
}
