import type { Change } from './change.ts';
import type { GroupResult } from './run-event.ts';

/** What the members of a fused group came to, one after the other: each makes the next one due. */
export function applyGroup(change: Change, results: readonly GroupResult[]): void {
  for (const result of results) {
    const place = change.find(result, 'PENDING');
    if (place === null || !change.get(place).due) return;
    if ('error' in result) {
      if (result.retryable) return change.set(place, { solo: true });
      change.set(place, { startedAt: result.startedAt });
      return change.fail(place, result.error);
    }
    change.set(place, { startedAt: result.startedAt, attempts: 1 });
    change.complete(place, { output: result.output, port: null });
    change.drain();
  }
}
