import { createContentActivities } from '../activities/content/content-activities.ts';
import { createModelActivities } from '../activities/models/model-activities.ts';
import { createRunActivities, type RunDependencies } from '../activities/runs/run-activities.ts';
import { createToolActivities } from '../activities/tools/tool-activities.ts';
import { createHttpClient } from '../adapters/http/http-client.ts';
import { createLanguageModels } from '../adapters/models/language-models.ts';
import { createTextThreads } from '../adapters/text/text-threads.ts';
import type { EffectLedger } from '../domain/tools/effect-ledger.ts';
import type { Settings } from '../config/settings.ts';
import type { Room } from './pools.ts';

/** Threads that read text for both content analysis and offline condensing. */
const TEXT_THREADS = 2;

export type ActivityRooms = Readonly<Record<Room, object>>;

export function defaultModelProvider(settings: Settings): string {
  return settings.WEFT_MODEL_PROVIDER ?? (settings.OPENAI_API_KEY === null ? 'offline-extractive' : 'openai');
}

/** Builds the adapters that activities need; `close` ends their threads. */
export function createActivities(
  settings: Settings,
  { effects, runs }: { effects: EffectLedger; runs: RunDependencies },
): { rooms: ActivityRooms; close: () => Promise<void> } {
  const text = createTextThreads({ threads: TEXT_THREADS });
  const models = createLanguageModels({
    condense: (job, signal) => text.run('condense', job, signal),
    openai: {
      apiKey: settings.OPENAI_API_KEY,
      baseUrl: settings.OPENAI_BASE_URL,
      model: settings.OPENAI_MODEL,
      maxOutputTokens: settings.OPENAI_MAX_TOKENS,
    },
  });
  return {
    rooms: {
      content: createContentActivities({ text, maxBytes: settings.CONTENT_PROCESSING_MAX_SIZE }),
      models: createModelActivities({ models, defaultProvider: defaultModelProvider(settings), effects }),
      runs: createRunActivities(runs),
      tools: createToolActivities({
        effects,
        client: createHttpClient({
          allowedHosts: settings.WEFT_HTTP_ALLOWED_HOSTS,
          maxResponseBytes: settings.WEFT_PAYLOAD_MAX_BYTES,
        }),
      }),
    },
    close: () => text.close(),
  };
}
