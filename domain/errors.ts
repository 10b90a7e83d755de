import { AGENT_ERRORS } from './agents/agent-errors.ts';
import { SCHEMA_ERRORS } from './access/schema-errors.ts';
import { MODEL_ERRORS } from './models/model-errors.ts';
import { TOOL_ERRORS } from './tools/tool-errors.ts';

/**
 * The one error table. The code, not the class, survives Temporal's boundaries:
 * `ApplicationFailure.type`, `extensions.code` and the REST problem's `code` all carry it.
 */
export type ErrorRow = {
  /** HTTP status at the REST and GraphQL doors. */
  status: number;
  /** Whether the same attempt may succeed later; decides `nonRetryable` of activity failures. */
  retry: boolean;
  message: (fields: ErrorFields) => string;
  hint?: string;
};
export type ErrorFields = Record<string, unknown>;

export const ERRORS = {
  DEFINITION_INVALID: {
    status: 422,
    retry: false,
    message: (f) => `The definition has ${String(f['count'] ?? 'some')} problem(s)`,
    hint: 'Every problem is listed in `problems`, each with its path and a hint.',
  },
  INPUT_INVALID: {
    status: 400,
    retry: false,
    message: (f) => `The input is not valid: ${String(f['detail'] ?? 'see paths')}`,
    hint: 'Each bad path is listed in `paths`.',
  },
  OUTPUT_INVALID: {
    status: 500,
    retry: false,
    message: (f) => `The output mapping failed: ${String(f['detail'])}`,
    hint: 'Check the expressions under `output` in the definition.',
  },
  EVENT_UNREADABLE: {
    status: 500,
    retry: false,
    message: (f) =>
      `The stored event ${String(f['type'])} of version ${String(f['schemaVersion'])} cannot be brought up to date in ${String(f['steps'])} steps`,
  },
  REDIS_UNAVAILABLE: {
    status: 503,
    retry: true,
    message: (f) => `Redis does not answer: ${String(f['detail'])}`,
  },
  NOT_FOUND: {
    status: 404,
    retry: false,
    message: (f) => `${String(f['what'] ?? 'Object')} ${String(f['id'] ?? '')} was not found`.replace(/ +/g, ' '),
  },
  NOT_WAITING: {
    status: 409,
    retry: false,
    message: (f) => `Node ${String(f['nodeId'])} is not waiting: ${String(f['detail'])}`,
    hint: 'Only a node whose status is WAITING can be answered; read `run.nodes`.',
  },
  RUN_CLOSED: {
    status: 409,
    retry: false,
    message: (f) => `Run ${String(f['runId'])} is already closed (${String(f['runStatus'])})`,
  },
  RUN_REJECTED: {
    status: 429,
    retry: true,
    message: (f) =>
      `Workflow ${String(f['workflowId'])} has ${String(f['limit'])} open run(s)${f['key'] === '' ? '' : ` for ${JSON.stringify(f['key'])}`} and takes no more`,
    hint: 'Try again when one of them is closed; `onLimit: queue` would let the run wait.',
  },
  RUN_QUEUED: {
    status: 409,
    retry: true,
    message: (f) => `Run ${String(f['runId'])} has not started yet`,
    hint: 'Read `run.queue` to see what it waits for.',
  },
  BATCH_CLOSED: {
    status: 409,
    retry: false,
    message: (f) => `Batch ${String(f['id'])} is already closed (${String(f['batchStatus'])})`,
  },
  IDEMPOTENCY_CONFLICT: {
    status: 409,
    retry: false,
    message: (f) => `Idempotency key ${String(f['key'])} was used before with another input or version`,
    hint: 'Use a new key for a new request.',
  },
  VERSION_CONFLICT: {
    status: 409,
    retry: false,
    message: (f) =>
      `Stream ${String(f['streamId'])} is at version ${String(f['actualVersion'])}, not ${String(f['expectedVersion'])}`,
    hint: 'Read the stream again and decide anew.',
  },
  DRAFT_CONFLICT: {
    status: 409,
    retry: false,
    message: (f) =>
      `The draft of ${String(f['workflowId'])} is at revision ${String(f['currentRevision'])}, not ${String(f['expectedRevision'])}`,
    hint: 'Somebody else has saved it meanwhile: read the draft and put your changes into what is there.',
  },
  VERSION_DEPRECATED: {
    status: 409,
    retry: false,
    message: (f) =>
      `Version ${String(f['version'])} of workflow ${String(f['workflowId'])} is deprecated and starts no new runs` +
      (f['replacement'] === null ? '' : `; version ${String(f['replacement'])} replaces it`),
    hint: 'Start the version named in `replacement`, or leave `version` out.',
  },
  NOT_RECORDED: {
    status: 409,
    retry: false,
    message: (f) => `Node ${String(f['nodeId'])} was not run: the earlier run has no answer of it`,
    hint: 'Name it among the nodes that may run, when it does no harm.',
  },
  RERUN_REFUSED: {
    status: 409,
    retry: false,
    message: (f) => `Nothing can go on from run ${String(f['runId'])}: ${String(f['detail'])}`,
  },
  MIGRATION_REFUSED: {
    status: 409,
    retry: false,
    message: (f) => `The run cannot go on with version ${String(f['version'])}: ${String(f['detail'])}`,
    hint: 'Every obstacle is listed in `problems`; a mapping from old node ids to new ones settles most.',
  },
  EXPRESSION_FAILED: {
    status: 422,
    retry: false,
    message: (f) => `Expression \`${String(f['expression'])}\` failed: ${String(f['detail'])}`,
    hint: 'Use has(), optional fields or a default for values that may be absent.',
  },
  TEMPLATE_FAILED: {
    status: 422,
    retry: false,
    message: (f) => `The template failed: ${String(f['detail'])}`,
    hint: 'Every name used in a template must exist; guard optional ones with {{#if}}.',
  },
  CONFIG_INVALID: {
    status: 422,
    retry: false,
    message: (f) => `The node's configuration is not valid: ${String(f['detail'])}`,
  },
  APPROVAL_REJECTED: {
    status: 409,
    retry: false,
    message: (f) => `The approval was rejected${f['comment'] ? `: ${String(f['comment'])}` : ''}`,
  },
  APPROVAL_TIMED_OUT: {
    status: 408,
    retry: false,
    message: (f) => `Nobody answered the approval within ${String(f['timeoutMs'])} ms`,
  },
  NOT_ASSIGNEE: {
    status: 403,
    retry: false,
    message: (f) => `${String(f['by'] ?? 'Nobody')} may not answer node ${String(f['nodeId'])}`,
    hint: 'Only the assignees may; send decidedBy.',
  },
  ALREADY_ANSWERED: {
    status: 409,
    retry: false,
    message: (f) => `${String(f['by'])} has answered node ${String(f['nodeId'])} already`,
  },
  WAIT_TIMED_OUT: {
    status: 408,
    retry: false,
    message: (f) => `Nothing came within ${String(f['timeoutMs'])} ms`,
    hint: 'Set onTimeout to "route" to go on by the port timed_out.',
  },
  LOOP_BOUND_REACHED: {
    status: 422,
    retry: false,
    message: (f) => `The loop did not end within its ${String(f['bound'])} iterations`,
    hint: 'Raise maximumIterations, or set onBound to "route".',
  },
  MAP_TOO_LARGE: {
    status: 422,
    retry: false,
    message: (f) => `The map has ${String(f['count'])} items; the limit is ${String(f['limit'])}`,
    hint: 'Map over pages of the list in a loop or in subworkflows.',
  },
  CHILD_CANCELLED: { status: 409, retry: false, message: () => 'The child run was cancelled' },
  CHILD_TERMINATED: { status: 409, retry: false, message: () => 'The child run was terminated' },
  NOT_RETRYABLE: {
    status: 409,
    retry: false,
    message: (f) => `Node ${String(f['nodeId'])} cannot be retried: ${String(f['detail'])}`,
    hint: 'A node can be retried between two attempts, or after it failed in a run that is PAUSED (policies.onNodeFailure "pause").',
  },
  NOT_SKIPPABLE: {
    status: 409,
    retry: false,
    message: (f) => `Node ${String(f['nodeId'])} cannot be skipped: ${String(f['detail'])}`,
  },
  NOT_PAUSED: { status: 409, retry: false, message: () => 'The run is not paused' },
  VARIABLE_UNKNOWN: {
    status: 404,
    retry: false,
    message: (f) => `The workflow declares no variable ${String(f['name'])}`,
  },
  CONTENT_TOO_LARGE: {
    status: 413,
    retry: false,
    message: (f) => `The content has ${String(f['bytes'])} bytes; the limit is ${String(f['limitBytes'])}`,
  },
  CONTENT_UNSUPPORTED: {
    status: 422,
    retry: false,
    message: (f) => `The content cannot be analysed: ${String(f['detail'])}`,
  },
  ...MODEL_ERRORS,
  ...TOOL_ERRORS,
  ...AGENT_ERRORS,
  CALL_PARKED: {
    status: 429,
    retry: false,
    message: (f) => `It waits until ${String(f['opensAt'])}: ${String(f['detail'])}`,
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    retry: false,
    message: (f) =>
      `${String(f['where'] ?? 'A payload')} has ${String(f['bytes'])} bytes as JSON; the limit is ${String(f['limitBytes'])}`,
    hint: 'Pass a reference to the data instead, or raise WEFT_PAYLOAD_MAX_BYTES on every process.',
  },
  ACCESS_DENIED: {
    status: 403,
    retry: false,
    message: (f) => `Access to ${String(f['what'])} is denied: ${String(f['detail'])}`,
  },
  UNAUTHENTICATED: {
    status: 401,
    retry: false,
    message: (f) => `Sign in first: ${String(f['detail'])}`,
    hint: 'Send `Authorization: Bearer ` and an access token or an API key; `weft login` gets one.',
  },
  RATE_LIMITED: {
    status: 429,
    retry: true,
    message: (f) => `Too many requests: ${String(f['detail'])}`,
    hint: 'Wait as long as `Retry-After` says.',
  },
  QUOTA_EXCEEDED: {
    status: 429,
    retry: false,
    message: (f) => `The quota of the tenant is used up: ${String(f['detail'])}`,
    hint: 'An admin of tenant default changes quotas with `weft tenant quotas`.',
  },
  OIDC_UNAVAILABLE: {
    status: 503,
    retry: true,
    message: (f) => `The OpenID provider ${String(f['issuer'])} cannot be used: ${String(f['detail'])}`,
    hint: 'Check WEFT_OIDC_ISSUER, WEFT_OIDC_CLIENT_ID and WEFT_OIDC_CLIENT_SECRET.',
  },
  PRECONDITION_FAILED: {
    status: 412,
    retry: false,
    message: (f) => `It is not any more what If-Match names; its ETag is ${String(f['etag'])}`,
    hint: 'Read it again, and change what it is now.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    retry: false,
    message: (f) => `${String(f['method'])} is not served here; ${String(f['allowed'])} is`,
  },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    retry: false,
    message: (f) => `The body must be application/json, not ${String(f['type'])}`,
  },
  OPERATION_UNDECLARED: {
    status: 500,
    retry: false,
    message: (f) => `${String(f['operation'])} has no row in the table of operations and permissions`,
    hint: 'Add it to domain/access/operation-permissions.ts.',
  },
  ...SCHEMA_ERRORS,
  PAYLOAD_STORE_UNAVAILABLE: {
    status: 503,
    retry: true,
    message: (f) => `The payload store ${String(f['location'])} cannot be used: ${String(f['detail'])}`,
    hint: 'Check WEFT_S3_BUCKET, WEFT_S3_ENDPOINT, WEFT_S3_REGION and the credentials.',
  },
  PAYLOAD_KEY_MISSING: {
    status: 500,
    retry: true,
    message: (f) =>
      `A value is encrypted with key ${JSON.stringify(f['keyId'])}, which is not in WEFT_ENCRYPTION_KEYS of this process`,
    hint: 'Add the key after the current one, as id:base64, and start the process again; keys but the first only decrypt.',
  },
  PAYLOAD_UNREADABLE: {
    status: 500,
    retry: true,
    message: (f) => `A value cannot be decrypted with key ${JSON.stringify(f['keyId'])}: another key, or changed bytes`,
    hint: 'Check that WEFT_ENCRYPTION_KEYS has under this id the very key that the value was encrypted with.',
  },
  NODE_TIMED_OUT: {
    status: 504,
    retry: false,
    message: (f) => `The node timed out (${String(f['timeoutType'])})`,
    hint: 'Raise `timeouts` of the node, or check that a worker polls its task queue.',
  },
  NODE_FAILED: {
    status: 500,
    retry: true,
    message: (f) => String(f['detail'] ?? 'The node failed'),
  },
  RUN_TIMED_OUT: { status: 504, retry: false, message: () => 'The run exceeded its timeout' },
  TEMPORAL_UNAVAILABLE: {
    status: 503,
    retry: true,
    message: (f) => `Temporal cannot be reached: ${String(f['detail'])}`,
    hint: 'Run `npm run weft -- doctor`.',
  },
  DATABASE_UNAVAILABLE: {
    status: 503,
    retry: true,
    message: (f) => `Postgres cannot be reached: ${String(f['detail'])}`,
    hint: 'Run `npm run weft -- doctor`.',
  },
  SETUP_INCOMPLETE: {
    status: 503,
    retry: false,
    message: (f) => String(f['detail']),
  },
  DEADLINE_EXCEEDED: {
    status: 504,
    retry: true,
    message: () => 'Whoever asked does not wait any longer',
    hint: 'Ask for less, or raise WEFT_GATEWAY_DEADLINE_MS and WEFT_SUBGRAPH_TIMEOUT_MS.',
  },
  ID_TAKEN: {
    status: 409,
    retry: false,
    message: (f) => `There is a ${String(f['what'])} ${String(f['id'])} already`,
  },
  SCHEDULE_INVALID: {
    status: 422,
    retry: false,
    message: (f) => `The schedule is not valid: ${String(f['detail'])}`,
    hint: 'Try it with `weft schedule preview`.',
  },
  MAPPING_INVALID: {
    status: 422,
    retry: false,
    message: (f) => `The mapping is not valid: ${String(f['detail'])}`,
    hint: 'A mapping is a CEL expression, or an object of them; a constant text needs quotes of its own.',
  },
  SIGNATURE_INVALID: {
    status: 401,
    retry: false,
    message: (f) => `The signature is not valid: ${String(f['detail'])}`,
    hint: 'Sign `<webhook-id>.<webhook-timestamp>.<body>` as Standard Webhooks says, with a secret of this webhook.',
  },
  LINK_INVALID: { status: 403, retry: false, message: () => 'The link was changed on its way, or was not made here' },
  LINK_EXPIRED: { status: 410, retry: false, message: (f) => `The link expired at ${String(f['expiredAt'])}` },
  WEBHOOK_DISABLED: { status: 410, retry: false, message: (f) => `Webhook ${String(f['id'])} is disabled` },
  EVENT_CHAIN_TOO_LONG: {
    status: 409,
    retry: false,
    message: (f) =>
      `Event ${String(f['event'])} would be number ${String(f['depth'])} of a chain of events, each caused by a run that the one before started; the limit is ${String(f['limit'])}`,
    hint: 'The workflows most likely start each other in a circle: narrow the filter of an event trigger.',
  },
  INTERNAL: { status: 500, retry: true, message: () => 'Internal error; the log has the details' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** Carries a code of the table and the fields its message is made of. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, fields: ErrorFields = {}, cause?: unknown) {
    super(ERRORS[code].message(fields), cause === undefined ? undefined : { cause });
    this.name = 'AppError';
    this.code = code;
    this.fields = fields;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retry;
  }

  get hint(): string | undefined {
    return (ERRORS[this.code] as ErrorRow).hint;
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}
