/** At most `limit` open runs for one value of `key`. */
export type ConcurrencyPolicy = {
  /** CEL over `input` that gives a text, number or boolean; null means that the policy does not concern the run. Default: one key. */
  key?: string;
  limit: number;
  /** What a run does that finds the limit reached. Default `queue`. */
  onLimit?: 'queue' | 'cancel-oldest' | 'reject';
  /** `tenant` counts the runs of every workflow that has this scope and the same value. Default `workflow`. */
  scope?: 'workflow' | 'tenant';
};

/** At most `limit` runs begin within any `periodMs`; the others wait their turn. */
export type RateLimitPolicy = { key?: string; limit: number; periodMs: number };

/** One open run for one value of `key`: a further request gets the open run, or cancels it and takes its place. */
export type SingletonPolicy = { key?: string; onConflict?: 'skip' | 'cancel' };

/** Requests for one value of `key` become one run, with the last input, once none came for `periodMs` or the first is `maxWaitMs` old. */
export type DebouncePolicy = { key?: string; periodMs: number; maxWaitMs?: number };

/** Runs that wait are admitted in turn between the values of `key`, each as often as its weight (a number, or CEL over `input`). */
export type FairnessPolicy = { key: string; weight?: number | string };

export type FlowPolicies = {
  concurrency?: ConcurrencyPolicy[];
  rateLimit?: RateLimitPolicy;
  singleton?: SingletonPolicy;
  debounce?: DebouncePolicy;
  /** 1 (first) to 5 (last), default 3; a request may say otherwise. */
  priority?: number;
  fairness?: FairnessPolicy;
};

export const FLOW_POLICY_NAMES = [
  'concurrency',
  'rateLimit',
  'singleton',
  'debounce',
  'priority',
  'fairness',
] as const satisfies (keyof FlowPolicies)[];

export const PRIORITY = { first: 1, standard: 3, last: 5 } as const;

export const FLOW_LIMITS = {
  concurrencyPolicies: 5,
  concurrency: 100_000,
  rate: 10_000,
  keyLength: 200,
  weight: { least: 0.001, most: 1_000 },
} as const;
