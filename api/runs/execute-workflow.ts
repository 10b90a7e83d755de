import { acceptRun, readAlias } from '../../adapters/postgres/accept-run.ts';
import { isQueued } from '../../adapters/postgres/admissions.ts';
import { readDefinitionByHash } from '../../adapters/postgres/definition-store.ts';
import { keyWrapOf } from '../../adapters/postgres/erasure-keys.ts';
import { readBeginning } from '../../adapters/postgres/rerun-store.ts';
import { insertRun, type NewRun, readRun } from '../../adapters/postgres/run-store.ts';
import { AppError } from '../../domain/errors.ts';
import type { RunId } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import { type FlowRequest, flowRequest, needsAdmission } from '../../domain/runs/flow-control/flow-request.ts';
import { implementationsOf } from '../../domain/runs/rerun/content-key.ts';
import type { PublishedDefinition, RunRecord } from '../../domain/runs/run-record.ts';
import { MANUAL_TRIGGER, type RunTrigger } from '../../domain/runs/triggers/run-trigger.ts';
import { contentHash } from '../../temporal/content-hash.ts';
import { startRunWorkflow } from '../../temporal/start-run-workflow.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import { checkQuotas } from './check-quotas.ts';
import type { RunsDeps } from './deps.ts';
import { readWorkflow } from './read-runs.ts';
import { type Reuse, reusedBy } from './reuse-results.ts';
import { newRunId } from './run-id.ts';
import { type StartOptions, startOptions, type StartRequest } from './start-options.ts';
import { waitForRun } from './wait-for-run.ts';
import { refuseDeprecated } from './workflow-versions.ts';

export type ExecuteWorkflow = StartRequest &
  Reuse & {
    workflowId: string;
    /** Default `{}`. */
    input?: Json | undefined;
    /** Default is the latest. */
    version?: number | null | undefined;
    idempotencyKey?: string | null | undefined;
    /** Whose personal data its values are. */
    subject?: string | null | undefined;
    /** Default is MANUAL. No caller from outside sets it. */
    trigger?: RunTrigger | undefined;
  };

const START_DEADLINE_MS = 10_000;
const ANSWER_MARGIN_MS = 500;
const MOST_SUBJECT = 200;

/**
 * Stores the run, then starts it; a crash in between is repaired by the next request with the same key or by the reconciler.
 * A run that has to be admitted first is started by a dispatcher.
 * @throws NOT_FOUND, INPUT_INVALID, PAYLOAD_TOO_LARGE, IDEMPOTENCY_CONFLICT, RUN_REJECTED, VERSION_DEPRECATED
 */
export async function executeWorkflow(
  deps: RunsDeps,
  principal: Principal,
  request: ExecuteWorkflow,
): Promise<RunRecord> {
  const options = startOptions(request);
  return answered(deps, principal, await makeRun(deps, principal, request, options), options);
}

/** The gateway gives up on an answer that takes longer. */
async function answered(
  deps: RunsDeps,
  principal: Principal,
  run: RunRecord,
  options: StartOptions,
): Promise<RunRecord> {
  const waitMs = Math.min(options.waitMs, deps.settings.WEFT_SUBGRAPH_TIMEOUT_MS - ANSWER_MARGIN_MS);
  return waitMs > 0 ? waitForRun(deps, principal, run, waitMs) : run;
}

async function makeRun(
  deps: RunsDeps,
  principal: Principal,
  request: ExecuteWorkflow,
  options: StartOptions,
): Promise<RunRecord> {
  const { version } = request;
  const earlier = await earlierRun(deps, principal, request);
  if (earlier) return earlier;
  const published = await readWorkflow(deps, principal, request.workflowId, version ?? undefined);
  if (!published) throw workflowNotFound(request);
  const begun = await reusedBy(deps, principal, request, published);
  return insertAndStart(deps, principal, { request, published, options, ...(begun ? { begun } : {}) });
}

/** The run of an earlier request with the same key. @throws PAYLOAD_TOO_LARGE, IDEMPOTENCY_CONFLICT */
async function earlierRun(
  deps: RunsDeps,
  principal: Principal,
  request: ExecuteWorkflow,
): Promise<RunRecord | undefined> {
  const { tenantId } = principal;
  const idempotencyKey = checkKey(request.idempotencyKey ?? null);
  checkSize(deps, request.input ?? {}, 'The input of the run');
  if (idempotencyKey === null) return undefined;
  const id = newRunId(tenantId, request.workflowId, idempotencyKey);
  const earlier = await readRun(deps.pool, tenantId, id);
  if (earlier) return repeatedRun(deps, request, earlier);
  const alias = await readAlias(deps.pool, tenantId, id);
  return alias && aliasedRun(deps, principal, request, alias);
}

/** How a run that takes over results of another begins. */
export type BegunAs = Required<Pick<NewRun, 'rerun' | 'seed'>>;
type Begin = { request: ExecuteWorkflow; published: PublishedDefinition; options: StartOptions; begun?: BegunAs };

/** As executeWorkflow, of a version that is known. @throws INPUT_INVALID, RUN_REJECTED, VERSION_DEPRECATED */
export async function beginRun(deps: RunsDeps, principal: Principal, begin: Begin): Promise<RunRecord> {
  const run = (await earlierRun(deps, principal, begin.request)) ?? (await insertAndStart(deps, principal, begin));
  return answered(deps, principal, run, begin.options);
}

async function insertAndStart(
  deps: RunsDeps,
  principal: Principal,
  { request, published, options, begun }: Begin,
): Promise<RunRecord> {
  const { tenantId } = principal;
  const { input = {} } = request;
  await refuseDeprecated(deps, published);
  checkInput(deps, published, input);
  await checkQuotas(deps, tenantId);
  const { priority, labels } = options;
  const { workflowId } = published;
  const flow = flowRequest(published.definition.policies, { workflowId, input, priority });
  const idempotencyKey = request.idempotencyKey ?? null;
  const record: NewRun = {
    id: newRunId(tenantId, request.workflowId, idempotencyKey),
    tenantId,
    workflowId,
    version: published.version,
    definitionHash: published.hash,
    input,
    idempotencyKey,
    trigger: request.trigger ?? { ...MANUAL_TRIGGER, source: principal.subject },
    labels,
    subject: checkSubject(deps, request.subject),
    priority: flow.priority,
    createdAt: new Date(),
    implementations: implementationsOf(published.definition),
    ...begun,
  };
  const waits = options.startAt !== null || options.delayMs > 0;
  if (waits || needsAdmission(flow)) return admittedLater(deps, request, record, flow, options);
  const { run, inserted } = await insertRun(deps.pool, record);
  if (!inserted) return repeatedRun(deps, request, run);
  await start(deps, run, published);
  return run;
}

/** @throws INPUT_INVALID, SETUP_INCOMPLETE */
function checkSubject({ pool }: RunsDeps, subject: string | null | undefined): string | null {
  if (subject === null || subject === undefined) return null;
  if (subject === '' || subject.length > MOST_SUBJECT || subject.includes('\0') || subject.startsWith('erased')) {
    throw argumentInvalid('subject', `must have 1 to ${MOST_SUBJECT} characters, and not begin with "erased"`);
  }
  keyWrapOf(pool);
  return subject;
}

/** @throws IDEMPOTENCY_CONFLICT, RUN_REJECTED */
async function admittedLater(
  deps: RunsDeps,
  request: ExecuteWorkflow,
  record: NewRun,
  flow: FlowRequest,
  { startAt, delayMs }: StartOptions,
): Promise<RunRecord> {
  const acceptance = await acceptRun(deps.pool, record, flow, {
    startAt,
    delayMs,
    digest: digestOf(request),
    traceparent: deps.traceparent(),
  });
  if (acceptance.kind === 'rejected') {
    const { key, limit } = acceptance.lease;
    throw new AppError('RUN_REJECTED', { workflowId: record.workflowId, key, limit });
  }
  const { run } = acceptance;
  if (acceptance.kind === 'accepted' && !acceptance.inserted) return repeatedRun(deps, request, run);
  deps.log.info({ runId: run.id, workflowId: run.workflowId, outcome: acceptance.kind }, 'run accepted');
  return run;
}

const digestOf = ({ input = {}, version = null }: ExecuteWorkflow): string =>
  contentHash(canonicalJson([input, version]));

/** @throws IDEMPOTENCY_CONFLICT */
async function aliasedRun(
  deps: RunsDeps,
  principal: Principal,
  request: ExecuteWorkflow,
  alias: { runId: RunId; digest: string },
): Promise<RunRecord> {
  if (alias.digest !== digestOf(request)) throw new AppError('IDEMPOTENCY_CONFLICT', { key: request.idempotencyKey });
  const run = await readRun(deps.pool, principal.tenantId, alias.runId);
  if (!run) throw new AppError('NOT_FOUND', { what: 'Run', id: alias.runId });
  return run;
}

/** Starts a run whose row exists but which Temporal may not have seen. @throws RUN_QUEUED when its turn has not come */
export async function ensureStarted(deps: RunsDeps, run: RunRecord): Promise<void> {
  if (run.status !== 'PENDING') return;
  if (await isQueued(deps.pool, run.id)) throw new AppError('RUN_QUEUED', { runId: run.id });
  const published = await readDefinitionByHash(deps.pool, run.definitionHash);
  if (!published) throw new AppError('NOT_FOUND', { what: 'Definition', id: run.definitionHash });
  await start(deps, run, published);
}

async function start(deps: RunsDeps, run: RunRecord, published: PublishedDefinition): Promise<void> {
  const beginning = run.rerun ? await readBeginning(deps.pool, run.id) : null;
  await deps.temporal.withDeadline(Date.now() + START_DEADLINE_MS, () =>
    startRunWorkflow(deps.temporal, run, published.definition, {
      traceparent: deps.traceparent(),
      correlationId: deps.correlationId?.() ?? null,
      tenantWeights: deps.settings.WEFT_TENANT_WEIGHTS ?? {},
      beginning,
    }),
  );
  deps.hint(run.id);
  deps.log.info({ runId: run.id, workflowId: run.workflowId, version: run.version }, 'run started');
}

/** @throws PAYLOAD_TOO_LARGE */
export function checkSize(deps: Pick<RunsDeps, 'settings'>, value: Json, where = 'The value'): void {
  const limitBytes = deps.settings.WEFT_PAYLOAD_MAX_BYTES;
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > limitBytes) throw new AppError('PAYLOAD_TOO_LARGE', { where, bytes, limitBytes });
}

async function repeatedRun(deps: RunsDeps, request: ExecuteWorkflow, earlier: RunRecord): Promise<RunRecord> {
  const { input = {}, version, idempotencyKey: key } = request;
  const sameVersion = version === null || version === undefined || version === earlier.version;
  if (!sameVersion || canonicalJson(input) !== canonicalJson(earlier.input)) {
    throw new AppError('IDEMPOTENCY_CONFLICT', { key });
  }
  if (!(await isQueued(deps.pool, earlier.id))) await ensureStarted(deps, earlier);
  return earlier;
}

function checkKey(key: string | null): string | null {
  if (key !== null && !/^[^\p{Cc}\p{Cs}]{1,255}$/u.test(key)) {
    throw argumentInvalid('idempotencyKey', 'must be 1 to 255 printable characters');
  }
  return key;
}

function checkInput(deps: RunsDeps, published: PublishedDefinition, input: Json): void {
  const paths = deps.validators.of(published.hash, published.definition.input)(input);
  if (paths.length === 0) return;
  const shown = paths.slice(0, 3).map(({ path, message }) => `${path || '/'} ${message}`);
  throw new AppError('INPUT_INVALID', { detail: shown.join('; ') + (paths.length > 3 ? '; ...' : ''), paths });
}

function workflowNotFound({ workflowId, version }: ExecuteWorkflow): AppError {
  const id = version === null || version === undefined ? workflowId : `${workflowId} version ${version}`;
  return new AppError('NOT_FOUND', { what: 'Workflow', id });
}
