import { AppError } from '../../errors.ts';
import type { Json } from '../../json.ts';
import { evaluateExpression } from '../expression.ts';
import type { ConcurrencyPolicy, FlowPolicies } from './flow-policies.ts';
import { FLOW_LIMITS, PRIORITY } from './flow-policies.ts';

/** A place that a run has to hold while it is open. */
export type LeaseRequest = {
  policy: 'CONCURRENCY' | 'SINGLETON';
  /** The same for all runs that share the places. */
  name: string;
  /** The key's value, for people. */
  key: string;
  limit: number;
  onLimit: 'queue' | 'cancel-oldest' | 'reject' | 'skip';
};
export type RateRequest = { name: string; key: string; limit: number; periodMs: number };
export type DebounceRequest = { name: string; key: string; periodMs: number; maxWaitMs: number | null };

/** What the policies of a definition ask of one run. */
export type FlowRequest = {
  leases: LeaseRequest[];
  rate: RateRequest | null;
  debounce: DebounceRequest | null;
  priority: number;
  /** Runs that wait take turns between the values of `key`. */
  turn: { key: string; weight: number };
};

export type RequestedRun = { workflowId: string; input: Json; priority?: number | null | undefined };

/** @throws INPUT_INVALID when a key cannot be computed from the input */
export function flowRequest(policies: FlowPolicies | undefined, run: RequestedRun): FlowRequest {
  const { concurrency = [], rateLimit, singleton, debounce } = policies ?? {};
  const key = (path: string, expression: string | undefined) => keyOf(path, expression, run.input);
  const leases = concurrency.flatMap((policy, index) => {
    const value = key(`concurrency/${index}`, policy.key);
    return value === null ? [] : [concurrencyLease(policy, value, run)];
  });
  const only = singleton && key('singleton', singleton.key);
  if (singleton && typeof only === 'string') {
    const onLimit = singleton.onConflict === 'cancel' ? 'cancel-oldest' : 'skip';
    const name = nameOf('singleton', run.workflowId, singleton.key, only);
    leases.push({ policy: 'SINGLETON', name, key: only, limit: 1, onLimit });
  }
  const rateKey = rateLimit ? key('rateLimit', rateLimit.key) : null;
  const debounceKey = debounce ? key('debounce', debounce.key) : null;
  return {
    leases: distinct(leases),
    rate:
      rateLimit && rateKey !== null
        ? { name: nameOf('rate', run.workflowId, rateLimit.key, rateKey), key: rateKey, ...pick(rateLimit) }
        : null,
    debounce:
      debounce && debounceKey !== null
        ? {
            name: nameOf('debounce', run.workflowId, debounce.key, debounceKey),
            key: debounceKey,
            periodMs: debounce.periodMs,
            maxWaitMs: debounce.maxWaitMs ?? null,
          }
        : null,
    priority: run.priority ?? policies?.priority ?? PRIORITY.standard,
    turn: turnOfRun(policies, run.input),
  };
}

/** Whose turn the run takes, and how much of it that key is due. @throws INPUT_INVALID */
export function turnOfRun(policies: FlowPolicies | undefined, input: Json): FlowRequest['turn'] {
  const { fairness } = policies ?? {};
  if (fairness === undefined) return { key: '', weight: 1 };
  return { key: keyOf('fairness', fairness.key, input) ?? '', weight: weightOf(fairness.weight, input) };
}

/** Whether the run has to be admitted before it may start. */
export function needsAdmission({ leases, rate, debounce }: FlowRequest): boolean {
  return leases.length > 0 || rate !== null || debounce !== null;
}

/** Taken when the run is accepted, before it waits for anything: the answer to the request depends on them. */
export function isTakenOnArrival({ onLimit }: LeaseRequest): boolean {
  return onLimit === 'reject' || onLimit === 'skip';
}

const pick = ({ limit, periodMs }: { limit: number; periodMs: number }) => ({ limit, periodMs });

function concurrencyLease(policy: ConcurrencyPolicy, key: string, { workflowId }: RequestedRun): LeaseRequest {
  const name =
    policy.scope === 'tenant'
      ? nameOf('concurrency', null, undefined, key)
      : nameOf('concurrency', workflowId, policy.key, key);
  return { policy: 'CONCURRENCY', name, key, limit: policy.limit, onLimit: policy.onLimit ?? 'queue' };
}

const nameOf = (policy: string, workflowId: string | null, expression: string | undefined, key: string): string =>
  JSON.stringify([policy, workflowId, expression ?? null, key]);

/** Two policies that come to the same name are one place; the narrower limit counts. */
function distinct(leases: readonly LeaseRequest[]): LeaseRequest[] {
  const byName = new Map<string, LeaseRequest>();
  for (const lease of leases) {
    const other = byName.get(lease.name);
    if (other === undefined || lease.limit < other.limit) byName.set(lease.name, lease);
  }
  return [...byName.values()];
}

function keyOf(path: string, expression: string | undefined, input: Json): string | null {
  if (expression === undefined) return '';
  const value = evaluate(`${path}/key`, expression, input);
  if (value === null) return null;
  const text = typeof value === 'object' ? undefined : String(value);
  if (text !== undefined && text.length <= FLOW_LIMITS.keyLength) return text;
  const found = text === undefined ? 'it gives a list or an object' : `it is longer than ${FLOW_LIMITS.keyLength}`;
  throw keyInvalid(`${path}/key`, `must give a short text: ${found}`);
}

function weightOf(weight: number | string | undefined, input: Json): number {
  if (weight === undefined) return 1;
  const value = typeof weight === 'number' ? weight : evaluate('fairness/weight', weight, input);
  const { least, most } = FLOW_LIMITS.weight;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw keyInvalid('fairness/weight', `must give a number from ${least} to ${most}`);
}

function evaluate(path: string, expression: string, input: Json): Json {
  try {
    return evaluateExpression(expression, { input, run: {}, vars: {}, bindings: {}, node: () => null });
  } catch (error) {
    throw keyInvalid(path, String((error as AppError).fields['detail']), error);
  }
}

function keyInvalid(path: string, message: string, cause?: unknown): AppError {
  const detail = `policies/${path} ${message}`;
  return new AppError('INPUT_INVALID', { detail, paths: [{ path: '', message: detail }] }, cause);
}
