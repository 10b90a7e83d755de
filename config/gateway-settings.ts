import type { SettingRow } from './settings.ts';

/** Settings of how the gateway asks subgraphs. */
export const GATEWAY_SETTINGS = {
  WEFT_SUBGRAPH_TIMEOUT_MS: {
    kind: 'integer',
    default: 30000,
    min: 10,
    max: 600000,
    meaning: 'How long the gateway waits for the answer of a subgraph.',
  },
  WEFT_GATEWAY_EXECUTOR: {
    kind: 'string',
    default: 'own',
    choices: ['own', 'stock'],
    meaning: 'Which executor runs the plans of queries: our own, or the one of @apollo/gateway.',
  },
  WEFT_GATEWAY_SHARE_FETCHES: {
    kind: 'boolean',
    default: true,
    meaning: 'Whether equal queries of one identity that are under way at the same time go to a subgraph once.',
  },
  WEFT_GATEWAY_CACHE_BYTES: {
    kind: 'integer',
    default: 67_108_864,
    min: 0,
    meaning:
      'Memory of the gateway for entities that subgraphs let it keep by `Cache-Control`, until events say that they have changed; 0 keeps none.',
  },
} as const satisfies Record<string, SettingRow>;
