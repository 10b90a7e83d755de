import type { JsonObject } from '../../json.ts';
import { LIMITS } from '../limits.ts';
import { FLOW_LIMITS, PRIORITY } from './flow-policies.ts';

const MS: JsonObject = { type: 'integer', minimum: 1, maximum: LIMITS.timeoutMs };
const KEY: JsonObject = { $ref: '#/$defs/expression', description: 'CEL over input' };
const limit = (maximum: number): JsonObject => ({ type: 'integer', minimum: 1, maximum });

function policy(description: string, required: string[], properties: JsonObject): JsonObject {
  return { type: 'object', description, required, additionalProperties: false, properties };
}

/** JSON Schema of the flow control in `policies`. */
export const FLOW_SCHEMA: JsonObject = {
  concurrency: {
    type: 'array',
    maxItems: FLOW_LIMITS.concurrencyPolicies,
    items: policy('At most `limit` open runs for one value of `key`', ['limit'], {
      key: KEY,
      limit: limit(FLOW_LIMITS.concurrency),
      onLimit: { enum: ['queue', 'cancel-oldest', 'reject'] },
      scope: { enum: ['workflow', 'tenant'] },
    }),
  },
  rateLimit: policy('At most `limit` runs begin within any `periodMs`', ['limit', 'periodMs'], {
    key: KEY,
    limit: limit(FLOW_LIMITS.rate),
    periodMs: MS,
  }),
  singleton: policy('One open run for one value of `key`', [], { key: KEY, onConflict: { enum: ['skip', 'cancel'] } }),
  debounce: policy('Requests that come close together become one run with the last input', ['periodMs'], {
    key: KEY,
    periodMs: MS,
    maxWaitMs: MS,
  }),
  priority: {
    type: 'integer',
    minimum: PRIORITY.first,
    maximum: PRIORITY.last,
    description: '1 is first; default 3',
  },
  fairness: policy('Waiting runs take turns between the values of `key`', ['key'], {
    key: KEY,
    weight: {
      anyOf: [{ type: 'number', minimum: FLOW_LIMITS.weight.least, maximum: FLOW_LIMITS.weight.most }, KEY],
    },
  }),
};
