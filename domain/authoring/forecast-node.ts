import { estimateTokens } from '../models/estimate-tokens.ts';
import { isJsonObject, type Json } from '../json.ts';
import type { CompiledNode } from '../runs/compile.ts';
import type { NodeTimeouts, RetryPolicy } from '../runs/definition.ts';
import { LIMITS } from '../runs/limits.ts';

/** What one execution of a node costs at worst, its body left out. */
export type NodeCost = {
  /** Events in Temporal's history, workflow tasks included. */
  events: number;
  /** What Temporal Cloud bills. */
  actions: number;
  /** Values that are kept in history: inputs and outputs. */
  payloads: number;
  /** Null where nothing bounds it. */
  durationMs: number | null;
  /** Why nothing bounds it. */
  unbounded: string | null;
  modelCalls: number;
  /** Of models, attempts included; null where the provider decides. */
  tokens: number | null;
};

/** Scheduled, started, completed. */
const WORKFLOW_TASK = 3;
const FREE: NodeCost = { events: 0, actions: 0, payloads: 0, durationMs: 0, unbounded: null, modelCalls: 0, tokens: 0 };
/** Where neither node nor type says how often. */
const DEFAULT_ATTEMPTS = 1;

export function costOf(node: CompiledNode): NodeCost {
  switch (node.row.class) {
    case 'activity':
      return activityCost(node);
    case 'wait':
      return waitCost(node);
    case 'child':
      return {
        ...FREE,
        events: 4 + WORKFLOW_TASK,
        actions: 2,
        payloads: 2,
        durationMs: null,
        unbounded: 'it is as long as the other workflow',
      };
    default:
      return FREE;
  }
}

/** Each attempt but the last leaves no event, but is an action. */
function activityCost(node: CompiledNode): NodeCost {
  const retry = { ...node.row.retry, ...node.definition.retry };
  const timeouts = { ...node.row.timeouts, ...node.definition.timeouts };
  const attempts = retry.maximumAttempts ?? DEFAULT_ATTEMPTS;
  const durationMs = attemptsDuration(retry, timeouts, attempts);
  const calls = node.type === 'model.complete' ? attempts : 0;
  return {
    events: 3 + WORKFLOW_TASK,
    actions: attempts,
    payloads: 2,
    durationMs,
    unbounded: durationMs === null ? 'it has no timeout' : null,
    modelCalls: calls,
    tokens: calls === 0 ? 0 : tokensOf(node, attempts),
  };
}

function attemptsDuration(retry: RetryPolicy, timeouts: NodeTimeouts, attempts: number): number | null {
  const { startToCloseMs, scheduleToCloseMs, scheduleToStartMs = 0 } = timeouts;
  if (startToCloseMs === undefined) return scheduleToCloseMs ?? null;
  let wait = retry.initialIntervalMs ?? 1_000;
  let total = startToCloseMs + scheduleToStartMs;
  for (let attempt = 1; attempt < attempts; attempt += 1) {
    total += startToCloseMs + Math.min(wait, retry.maximumIntervalMs ?? Infinity);
    wait *= retry.backoffCoefficient ?? 2;
  }
  return Math.min(total, scheduleToCloseMs ?? Infinity);
}

/** What is asked is at least the prompt's own text; what its values add is not known. */
function tokensOf({ config }: CompiledNode, attempts: number): number | null {
  const { prompt, system, maxOutputTokens } = config;
  if (typeof maxOutputTokens !== 'number') return null;
  const text = [prompt, system].filter((part) => typeof part === 'string').join('\n');
  return attempts * (estimateTokens(text) + maxOutputTokens);
}

function waitCost({ type, config }: CompiledNode): NodeCost {
  switch (type) {
    case 'delay':
      return { ...FREE, ...timerCost(), ...bound(config['durationMs'], 'its duration is computed') };
    case 'until':
      return { ...FREE, ...timerCost(), durationMs: null, unbounded: 'its moment is computed' };
    case 'approval': {
      const stages = Array.isArray(config['escalation']) ? config['escalation'].length : 0;
      const answers = typeof config['quorum'] === 'number' ? Math.max(1, config['quorum']) : 1;
      const timers = stages + (config['timeoutMs'] === undefined ? 0 : 1);
      return {
        ...FREE,
        events: answers * (2 + WORKFLOW_TASK) + timers * 2 + stages * WORKFLOW_TASK,
        actions: answers + timers,
        payloads: answers * 2,
        ...bound(config['timeoutMs'], 'it waits for a person for ever: set timeoutMs'),
      };
    }
    default: {
      const timers = config['timeoutMs'] === undefined ? 0 : 1;
      const what = type === 'webhook' ? 'a call' : 'an event';
      return {
        ...FREE,
        events: 1 + WORKFLOW_TASK + timers * 2,
        actions: 1 + timers,
        payloads: 1,
        ...bound(config['timeoutMs'], `it waits for ${what} for ever: set timeoutMs`),
      };
    }
  }
}

const timerCost = () => ({ events: 2 + WORKFLOW_TASK, actions: 1 });

function bound(ms: Json | undefined, otherwise: string): Pick<NodeCost, 'durationMs' | 'unbounded'> {
  return typeof ms === 'number' ? { durationMs: ms, unbounded: null } : { durationMs: null, unbounded: otherwise };
}

/** How often the body of a container runs at most, and whether that is known or only a limit. */
export function passesOf(
  node: CompiledNode,
  itemsOf: (expression: string) => number | null,
): { count: number; known: boolean } {
  if (node.type === 'loop') return { count: Number(node.config['maximumIterations'] ?? 1), known: true };
  if (node.type !== 'map') return { count: 1, known: true };
  const items = node.config['items'];
  const count = typeof items === 'string' ? itemsOf(items) : null;
  return count === null ? { count: LIMITS.mapItems, known: false } : { count, known: true };
}

/** The schema's bound on a list of the input that an expression only names. */
export function listBound(schema: unknown, expression: string): number | null {
  const match = /^input((?:\.[A-Za-z_]\w*)+)$/.exec(expression.trim());
  if (match === null) return null;
  const found = (match[1] as string)
    .split('.')
    .slice(1)
    .reduce<unknown>(
      (value, name) =>
        isJsonObject(value) && isJsonObject(value['properties']) ? value['properties'][name] : undefined,
      schema,
    );
  return isJsonObject(found) && typeof found['maxItems'] === 'number' ? found['maxItems'] : null;
}
