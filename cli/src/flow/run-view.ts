export const RUN_VIEW = `id status priority labels output startedAt closedAt workflow { id version }
  error { code message } queue { reason position key dueAt } paused { reason by }`;

export type RunView = {
  id: string;
  status: string;
  priority: number;
  labels: Record<string, string>;
  output: unknown;
  startedAt: string;
  closedAt: string | null;
  workflow: { id: string; version: number };
  error: { code: string; message: string } | null;
  queue: { reason: string; position: number | null; key: string | null; dueAt: string | null } | null;
  paused: { reason: string | null; by: string | null } | null;
};

/** `PENDING: CONCURRENCY "ada", number 3` */
export function statusOf({ status, queue, error, paused }: RunView): string {
  if (paused)
    return `${status}${paused.reason === null ? '' : `: ${paused.reason}`}${paused.by === null ? '' : ` (by ${paused.by})`}`;
  if (error) return `${status}: ${error.code}`;
  if (queue === null) return status;
  const key = queue.key === null || queue.key === '' ? '' : ` ${JSON.stringify(queue.key)}`;
  const place = queue.position === null ? '' : `, number ${queue.position}`;
  return `${status}: ${queue.reason}${key}${place}${queue.dueAt === null ? '' : `, due ${queue.dueAt}`}`;
}
