import type { SettingRow } from './settings.ts';

const limit = <Most extends number>(value: number, max: Most, meaning: string) =>
  ({ kind: 'integer', default: value, min: 1, max, meaning }) as const;

/** What the gateway lets in, and what it does when subgraphs do not answer. */
export const GATEWAY_SETTINGS = {
  WEFT_GATEWAY_MAX_TOKENS: limit(10_000, 1_000_000, 'Most tokens of a GraphQL document.'),
  WEFT_GATEWAY_MAX_DEPTH: limit(25, 1_000, 'How deep fields of an operation may be nested.'),
  WEFT_GATEWAY_MAX_FIELDS: limit(
    10_000,
    1_000_000,
    'Most fields of an operation, with those of fragments as often as they are spread.',
  ),
  WEFT_GATEWAY_MAX_ALIASES: limit(200, 100_000, 'Most aliases of an operation.'),
  WEFT_GATEWAY_MAX_ROOT_FIELDS: limit(50, 10_000, 'Most fields at the root of an operation.'),
  WEFT_GATEWAY_MAX_DIRECTIVES: limit(100, 100_000, 'Most directives of an operation.'),
  WEFT_GATEWAY_MAX_COST: limit(
    1_000_000,
    2_000_000_000,
    'What an operation may cost at most: an object counts 1, a list as many as were asked for; `@cost` and `@listSize` say otherwise.',
  ),
  WEFT_GATEWAY_LIST_SIZE: limit(10, 100_000, 'For how many items a list counts of which nothing says how long it is.'),
  WEFT_GATEWAY_MAX_BATCH: limit(1, 1_000, 'Most operations in the array of one request; 1 takes no arrays.'),
  WEFT_GATEWAY_INTROSPECTION: {
    kind: 'string',
    default: 'auto',
    choices: ['auto', 'on', 'off'],
    meaning:
      'Whether the gateway tells its schema, by introspection, by suggestions in errors and at `/_service/schema`. `auto` does not where NODE_ENV is production.',
  },
  NODE_ENV: { kind: 'string', default: null, meaning: '`production` where the processes serve others.' },
  WEFT_GATEWAY_DOCUMENTS: {
    kind: 'string',
    default: 'prefer',
    choices: ['off', 'prefer', 'only'],
    meaning:
      'Documents published by `weft documents publish`: not looked at, taken by their hash beside others, or nothing but them.',
  },
  WEFT_GATEWAY_APQ: {
    kind: 'boolean',
    default: true,
    meaning:
      'Whether documents that were sent once may be asked for by their hash (automatic persisted queries); kept in Redis where REDIS_URL is set.',
  },
  WEFT_GATEWAY_APQ_KB: limit(32_768, 1_048_576, 'Memory for such documents.'),
  WEFT_GATEWAY_DEADLINE_MS: limit(
    60_000,
    600_000,
    'How long a request may take in all. What is left of it goes to subgraphs as `x-weft-deadline-ms`, and they stop when it is over.',
  ),
  WEFT_HTTP_HEADERS_MS: limit(
    10_000,
    600_000,
    'How long the headers of a request may take to arrive, at the gateway and the API.',
  ),
  WEFT_HTTP_REQUEST_MS: limit(60_000, 3_600_000, 'The same of a whole request with its body.'),
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
  WEFT_SUBGRAPH_TIMEOUTS: {
    kind: 'weights',
    default: null,
    min: 10,
    max: 600_000,
    meaning: 'WEFT_SUBGRAPH_TIMEOUT_MS of single subgraphs, as `runs=5000,content=60000`.',
  },
  WEFT_SUBGRAPH_RETRIES: {
    kind: 'integer',
    default: 2,
    min: 0,
    max: 10,
    meaning:
      'How often a query is sent to a subgraph again that did not take it. Retries are at most a tenth of the requests, mutations are never sent twice.',
  },
  WEFT_SUBGRAPH_BREAKER_FAILURES: {
    kind: 'integer',
    default: 10,
    min: 0,
    max: 10_000,
    meaning:
      'After so many failures within ten seconds, when they are half of the requests or more, a subgraph is left alone; 0 is never.',
  },
  WEFT_SUBGRAPH_BREAKER_MS: limit(5_000, 600_000, 'For how long; then a single request tries whether it is back.'),
  WEFT_SUBGRAPH_CONCURRENCY: limit(256, 10_000, 'Requests to a subgraph at once; others wait.'),
  WEFT_SUBGRAPH_QUEUE: {
    kind: 'integer',
    default: 1_000,
    min: 0,
    max: 100_000,
    meaning: 'How many may wait; further ones fail at once.',
  },
} as const satisfies Record<string, SettingRow>;
