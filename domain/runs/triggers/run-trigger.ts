export const TRIGGER_KINDS = ['MANUAL', 'SCHEDULE', 'WEBHOOK', 'EVENT', 'RUN'] as const;
export type TriggerKind = (typeof TRIGGER_KINDS)[number];

/** What started a run. */
export type RunTrigger = {
  kind: TriggerKind;
  /** Of the schedule, webhook, event trigger or parent run; null for a run that somebody started. */
  id: string | null;
  /** Which firing of it: the scheduled time, the webhook's message id or the event's id; or who started it, where that is known. */
  source: string | null;
  /** How many events lie one behind the other between this run and what was not caused by an event. */
  depth: number;
};

export const MANUAL_TRIGGER: RunTrigger = { kind: 'MANUAL', id: null, source: null, depth: 0 };
