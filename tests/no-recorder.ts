import type { EventRecorder } from '../domain/events/event-recorder.ts';

/** Keeps nothing, for activities that are tried without a database. */
export const noRecorder: EventRecorder = { recordOfRun: () => Promise.resolve() };
