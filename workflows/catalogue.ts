/** Every workflow type that the worker can run; Temporal needs them in one module. */
export { run } from './runs/run.ts';
export { scheduledRun } from './runs/scheduled-run.ts';
