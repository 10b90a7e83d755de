import { ACCESS_SETTINGS } from './access-settings.ts';
import { GATEWAY_SETTINGS } from './gateway-settings.ts';
import { TOOL_SETTINGS } from './tool-settings.ts';
import { REGISTRY_SETTINGS } from './registry-settings.ts';
import { MODEL_SETTINGS } from './model-settings.ts';

/**
 * Every setting of every process. `.env.example` and the table in docs/settings.md are generated from here
 * (`npm run generate`); a test fails on drift.
 */
export type SettingKind = 'string' | 'integer' | 'boolean' | 'list' | 'weights';
export type SettingRow = {
  kind: SettingKind;
  default: string | number | boolean | readonly string[] | null;
  meaning: string;
  secret?: true;
  min?: number;
  max?: number;
  choices?: readonly string[];
};

export const SETTINGS = {
  DATABASE_URL: {
    kind: 'string',
    default: null,
    meaning: 'Postgres (15 or newer). Unset: an embedded PostgreSQL 18 in the data folder.',
    secret: true,
  },
  TEMPORAL_ADDRESS: {
    kind: 'string',
    default: null,
    meaning: 'host:port of a Temporal frontend. Unset: a dev server with a database file in the data folder.',
  },
  TEMPORAL_NAMESPACE: { kind: 'string', default: 'default', meaning: 'Temporal namespace.' },
  WEFT_TENANT_NAMESPACES: {
    kind: 'list',
    default: [],
    meaning:
      'Tenants whose runs live in a Temporal namespace of their own, as `acme=acme-runs,globex=globex-runs`; the others share TEMPORAL_NAMESPACE.',
  },
  TEMPORAL_API_KEY: { kind: 'string', default: null, meaning: 'API key for Temporal Cloud.', secret: true },
  TEMPORAL_TLS: { kind: 'boolean', default: false, meaning: 'Use TLS towards Temporal.' },
  TEMPORAL_UI_URL: {
    kind: 'string',
    default: 'http://127.0.0.1:8233',
    meaning: 'Base address of Temporal Web UI, for links to runs.',
  },
  WEFT_DATA_DIR: { kind: 'string', default: '.weft', meaning: 'Data, logs and sockets of the embedded servers.' },
  XDG_CACHE_HOME: {
    kind: 'string',
    default: null,
    meaning: 'Folder whose `weft` sub-folder keeps the downloaded or built Temporal server. Unset: ~/.cache.',
  },
  WEFT_LOG_LEVEL: {
    kind: 'string',
    default: 'info',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    meaning: 'Least level written to the JSON log.',
  },
  WEFT_HOST: { kind: 'string', default: '127.0.0.1', meaning: 'Address the HTTP doors listen on.' },
  GATEWAY_PORT: { kind: 'integer', default: 4000, min: 0, max: 65535, meaning: 'Gateway (GraphQL).' },
  PORT: { kind: 'integer', default: 8080, min: 0, max: 65535, meaning: 'API (REST and the runs subgraph).' },
  METRICS_PORT: { kind: 'integer', default: 9464, min: 0, max: 65535, meaning: 'Worker and projector metrics.' },
  ...ACCESS_SETTINGS,
  ...REGISTRY_SETTINGS,
  REDIS_URL: {
    kind: 'string',
    default: null,
    meaning:
      'Redis, for what processes share: rate limits, and a stream of events for each tenant. Unset: each process counts by itself, and there are no streams.',
    secret: true,
  },
  WEFT_REDIS_EVENTS_MAX: {
    kind: 'integer',
    default: 1_000_000,
    min: 1_000,
    meaning: 'About how many events the stream of a tenant in Redis keeps; the oldest go first.',
  },
  ...GATEWAY_SETTINGS,
  WEFT_POSTGRES_PORT: { kind: 'integer', default: 5433, min: 0, max: 65535, meaning: 'Embedded Postgres.' },
  WEFT_TEMPORAL_PORT: { kind: 'integer', default: 7233, min: 0, max: 65535, meaning: 'Embedded Temporal dev server.' },
  WEFT_TEMPORAL_UI_PORT: { kind: 'integer', default: 8233, min: 0, max: 65535, meaning: 'Its Web UI.' },
  CONNECTION_POOL_SIZE: { kind: 'integer', default: 10, min: 1, max: 500, meaning: 'Postgres connections a process.' },
  WEFT_QUEUE_RUNS_CONCURRENCY: {
    kind: 'integer',
    default: 100,
    min: 1,
    max: 10000,
    meaning: 'Activities at once per worker on queue `runs`.',
  },
  WEFT_QUEUE_CONTENT_CONCURRENCY: {
    kind: 'integer',
    default: 4,
    min: 1,
    max: 1000,
    meaning: 'Activities at once per worker on queue `content`.',
  },
  WEFT_QUEUE_MODELS_CONCURRENCY: {
    kind: 'integer',
    default: 16,
    min: 1,
    max: 1000,
    meaning: 'Activities at once per worker on queue `models`.',
  },
  WEFT_POOLS_FILE: {
    kind: 'string',
    default: null,
    meaning: 'JSON file with further worker pools and changes of the built-in ones; docs/workers.md has its fields.',
  },
  WEFT_CODE_DIR: {
    kind: 'string',
    default: null,
    meaning: 'Folder with workflows.ts and activities.ts: workflows written by hand, run beside the others.',
  },
  WEFT_WORKFLOW_BUNDLE: {
    kind: 'string',
    default: null,
    meaning: 'File with the workflow code that the workers run, by which the API replays histories.',
  },
  WEFT_WORKER_BUILD_ID: {
    kind: 'string',
    default: null,
    meaning:
      'Build of the code of workers on queue `runs`: runs stay with the build that they began with and take up the current one when they continue as new. Unset: no build counts.',
  },
  WEFT_WORKER_TUNER: {
    kind: 'string',
    default: 'resource',
    choices: ['resource', 'fixed'],
    meaning: 'How workers give out activity slots: as long as memory and CPU allow, or always up to the concurrency.',
  },
  WEFT_WORKER_MEMORY_PERCENT: {
    kind: 'integer',
    default: 85,
    min: 10,
    max: 100,
    meaning: 'With the resource tuner: memory of the machine or container in use above which no activity is taken.',
  },
  WEFT_WORKER_CPU_PERCENT: {
    kind: 'integer',
    default: 95,
    min: 10,
    max: 100,
    meaning: 'The same for the CPU.',
  },
  WEFT_WORKER_CACHED_RUNS: {
    kind: 'integer',
    default: null,
    min: 0,
    max: 100000,
    meaning:
      'Runs whose state a worker on queue `runs` keeps in memory; others are replayed when they go on. Unset: by the memory of the pool, or else 500, of about 280 KB each.',
  },
  WEFT_WORKER_GRACE_MS: {
    kind: 'integer',
    default: 8000,
    min: 0,
    max: 3600000,
    meaning:
      'How long activities may go on in a worker that was asked to stop; then they are cancelled and tried elsewhere.',
  },
  WEFT_PUBLIC_URL: {
    kind: 'string',
    default: null,
    meaning: 'Address by which others reach the API, for webhooks and signed links. Unset: http://WEFT_HOST:PORT.',
  },
  WEFT_SECRET_KEY: {
    kind: 'list',
    default: [],
    meaning:
      'Keys of 32 characters or more that seal the secrets of webhooks and the keys of erasure, and sign links. The first one is used, all are accepted. Unset: no webhooks, no webhook nodes and no runs with a subject; `npm start` makes one in the data folder.',
    secret: true,
  },
  WEFT_WEBHOOK_MAX_BYTES: {
    kind: 'integer',
    default: 1048576,
    min: 1024,
    max: 16777216,
    meaning: 'Largest body that a webhook accepts.',
  },
  WEFT_LINK_DAYS: {
    kind: 'integer',
    default: 90,
    min: 1,
    max: 3650,
    meaning: 'How long the signed links of webhook nodes are valid, from the start of the run.',
  },
  WEFT_PAYLOAD_INLINE_BYTES: {
    kind: 'integer',
    default: 16384,
    min: 256,
    max: 1048576,
    meaning: 'Payloads above this go to the payload store by content hash.',
  },
  WEFT_PAYLOAD_MAX_BYTES: {
    kind: 'integer',
    default: 16777216,
    min: 65536,
    max: 268435456,
    meaning: 'Largest single payload; above it the node or request fails with PAYLOAD_TOO_LARGE.',
  },
  WEFT_ENCRYPTION_KEYS: {
    kind: 'list',
    default: [],
    meaning:
      'Keys for payloads, each id:base64 of 32 bytes. The first encrypts what goes to Temporal and to the payload store, all decrypt. Unset: nothing is encrypted.',
    secret: true,
  },
  WEFT_PAYLOAD_STORE: {
    kind: 'string',
    default: 'postgres',
    choices: ['postgres', 's3'],
    meaning: 'Where large payloads are put. What is in the other place stays readable.',
  },
  WEFT_S3_BUCKET: { kind: 'string', default: null, meaning: 'Bucket of the payload store.' },
  WEFT_S3_PREFIX: { kind: 'string', default: 'payloads/', meaning: 'What the names of its objects begin with.' },
  WEFT_S3_REGION: { kind: 'string', default: null, meaning: "Region of the bucket. Unset: the AWS SDK's own order." },
  WEFT_S3_ENDPOINT: {
    kind: 'string',
    default: null,
    meaning: 'Address of an S3-compatible server. Unset: AWS.',
  },
  WEFT_S3_PATH_STYLE: {
    kind: 'boolean',
    default: false,
    meaning: 'Name the bucket in the path, not in the host, as most S3-compatible servers want.',
  },
  WEFT_S3_ACCESS_KEY_ID: {
    kind: 'string',
    default: null,
    meaning: "Access key of the bucket. Unset: the AWS SDK's credential chain.",
  },
  WEFT_S3_SECRET_ACCESS_KEY: { kind: 'string', default: null, meaning: 'Its secret.', secret: true },
  WEFT_PAYLOAD_GC_INTERVAL_MINUTES: {
    kind: 'integer',
    default: 360,
    min: 0,
    max: 525600,
    meaning: 'How often the projector deletes payloads that nothing points at; 0 is never.',
  },
  WEFT_PAYLOAD_GRACE_HOURS: {
    kind: 'integer',
    default: 168,
    min: 24,
    max: 87600,
    meaning:
      "How long a payload must have been unused and without a reference before it is deleted; at least Temporal's retention of closed runs.",
  },
  WEFT_PAYLOAD_RETENTION_DAYS: {
    kind: 'integer',
    default: null,
    min: 1,
    max: 36500,
    meaning:
      'How long after its end a run keeps its large values; later only their size and hash are left. Unset: for ever.',
  },
  WEFT_SEAL_VALUES: {
    kind: 'string',
    default: 'subjects',
    choices: ['subjects', 'all'],
    meaning:
      'Whose values are sealed in the event store, so that they can be erased: of runs with a subject, or of all. Needs WEFT_SECRET_KEY.',
  },
  WEFT_ARCHIVE_FOLDER: {
    kind: 'string',
    default: null,
    meaning:
      'Folder where events of closed runs are archived, and read from. Every process needs to reach it. `npm start` makes it `archive` in the data folder.',
  },
  WEFT_ARCHIVE_STORE: {
    kind: 'string',
    default: 'folder',
    choices: ['folder', 's3'],
    meaning: 'Where archives are: in WEFT_ARCHIVE_FOLDER, or in the bucket of WEFT_S3_BUCKET under `archive/`.',
  },
  WEFT_ARCHIVE_AFTER_DAYS: {
    kind: 'integer',
    default: null,
    min: 1,
    max: 36500,
    meaning:
      'How long after its end the events of a run are archived by the projector. Unset: only by `weft events archive`.',
  },
  WEFT_CODEC: {
    kind: 'string',
    default: null,
    choices: ['off', 'loopback', 'token'],
    meaning:
      'Who may use /codec of the API, by which Temporal Web UI and CLI show encrypted and large values: nobody, this machine, or who sends the token. Unset: nobody; `npm start` makes it loopback.',
  },
  WEFT_CODEC_TOKEN: {
    kind: 'string',
    default: null,
    meaning: 'Token of /codec, sent as `Authorization: Bearer ...`.',
    secret: true,
  },
  WEFT_CODEC_ORIGINS: {
    kind: 'list',
    default: [],
    meaning: 'Origins of web pages that may use /codec, besides that of TEMPORAL_UI_URL.',
  },
  WEFT_TENANT_WEIGHTS: {
    kind: 'weights',
    default: null,
    min: 0.001,
    max: 1000,
    meaning:
      'Share of each tenant in what is started and worked on while several have runs waiting, as `acme=3,default=1`; `default` is for tenants that are not named. Unset: 1 each.',
  },
  WEFT_BATCH_RATE: {
    kind: 'integer',
    default: 50,
    min: 1,
    max: 10000,
    meaning: 'Runs a second that one API process operates on for a batch.',
  },
  WEFT_SNAPSHOT_EVENTS: {
    kind: 'integer',
    default: 200,
    min: 10,
    meaning:
      'The state of a run is kept after so many of its events, so that it can be shown at any event in little time.',
  },
  WEFT_SNAPSHOT_KB: {
    kind: 'integer',
    default: 1_024,
    min: 16,
    meaning: 'The same after events that carry so much together.',
  },
  WEFT_SNAPSHOT_HOURS: {
    kind: 'integer',
    default: 24,
    min: 1,
    meaning: 'The same with the first event that comes so long after the last that was kept.',
  },
  WEFT_SNAPSHOT_KEEP: {
    kind: 'integer',
    default: 100,
    min: 1,
    meaning:
      'So many kept states of each run stay, the newest. One that is missing is folded again when it is asked for.',
  },
  WEFT_SNAPSHOT_DAYS: { kind: 'integer', default: 90, min: 1, meaning: 'Kept states stay so long.' },
  WEFT_RECONCILE_INTERVAL_MS: {
    kind: 'integer',
    default: 10000,
    min: 500,
    max: 600000,
    meaning: 'How often the projector looks for runs whose hints were lost.',
  },
  ...TOOL_SETTINGS,
  CONTENT_PROCESSING_MAX_SIZE: {
    kind: 'integer',
    default: 10485760,
    min: 1024,
    max: 104857600,
    meaning: 'Largest text that content.analyze accepts, in bytes.',
  },
  ...MODEL_SETTINGS,
} as const satisfies Record<string, SettingRow>;

export type SettingName = keyof typeof SETTINGS;
type Widen<Row extends SettingRow> = Row['kind'] extends 'integer'
  ? number
  : Row['kind'] extends 'boolean'
    ? boolean
    : Row['kind'] extends 'list'
      ? readonly string[]
      : Row['kind'] extends 'weights'
        ? Readonly<Record<string, number>>
        : string;
export type Settings = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name]['default'] extends null
    ? Widen<(typeof SETTINGS)[Name]> | null
    : Widen<(typeof SETTINGS)[Name]>;
};
