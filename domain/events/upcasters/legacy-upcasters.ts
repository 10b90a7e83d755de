import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import type { Upcaster, Upcasters } from './upcast.ts';

const CHARACTERS_PER_TOKEN = 4;

/** Fields that came with the next version; what an event says itself goes before. */
const adding =
  (added: JsonObject | ((payload: JsonObject) => JsonObject)): Upcaster =>
  ({ payload }) => {
    const own = isJsonObject(payload) ? payload : {};
    return { payload: { ...(typeof added === 'function' ? added(own) : added), ...own } };
  };

const lengthOf = (text: Json | undefined): number => (typeof text === 'string' ? text.length : 0);
const estimatedTokens = ({ prompt }: JsonObject): number => Math.floor(lengthOf(prompt) / CHARACTERS_PER_TOKEN);

/** Of events that were imported from stores of the time before Temporal: versions 1 and 2 of what was kept there. */
export const LEGACY_UPCASTERS: Upcasters = {
  workflow_started: {
    1: adding({
      user_context: { user_id: null, session_id: null, ip_address: null },
      priority: 'normal',
      retry_config: { max_retries: 3, retry_delay_seconds: 60 },
    }),
  },
  workflow_completed: {
    1: adding({ performance_metrics: null, output_validation: null, quality_metrics: null }),
  },
  prompt_sent: {
    1: adding((payload) => ({
      estimated_tokens: estimatedTokens(payload),
      temperature: 0.7,
      top_p: 1,
      cost_estimation: null,
    })),
  },
  response_received: {
    1: adding({ detailed_usage: null, cost_breakdown: null, quality_metrics: null, performance_metrics: null }),
  },
};
