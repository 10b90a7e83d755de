export const RUN_STATUSES = [
  'PENDING',
  'RUNNING',
  'WAITING',
  'PAUSED',
  'COMPENSATING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TERMINATED',
  'TIMED_OUT',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const NODE_STATUSES = ['PENDING', 'RUNNING', 'WAITING', 'COMPLETED', 'FAILED', 'SKIPPED', 'CANCELLED'] as const;
export type NodeStatus = (typeof NODE_STATUSES)[number];

const OPEN: readonly RunStatus[] = ['PENDING', 'RUNNING', 'WAITING', 'PAUSED', 'COMPENSATING'];
export function isClosed(status: RunStatus): boolean {
  return !OPEN.includes(status);
}

/** A settled node never changes again. */
export function isSettled(status: NodeStatus): boolean {
  return status !== 'PENDING' && status !== 'RUNNING' && status !== 'WAITING';
}
