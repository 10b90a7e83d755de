import type { SystemEvent } from './system-event.ts';

export interface EventRecorder {
  /** Kept when it resolves, in the tenant of the run. */
  recordOfRun(runId: string, event: SystemEvent): Promise<void>;
}
