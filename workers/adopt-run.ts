import type { Connection } from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import type { Logger } from 'pino';
import {
  publishDefinition,
  readDefinition,
  readDefinitionByHash,
  setDeprecation,
} from '../adapters/postgres/definition-store.ts';
import { unknownRuns } from '../adapters/postgres/open-runs.ts';
import { insertRun } from '../adapters/postgres/run-store.ts';
import { SHARDS } from '../adapters/postgres/shard-locks.ts';
import { definitionHash, runId, type TenantId, workflowId } from '../domain/identifiers.ts';
import { isJsonObject, type Json } from '../domain/json.ts';
import { canonicalJson } from '../domain/runs/canonical-json.ts';
import { codeDefinition, isCode } from '../domain/runs/code-workflow.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { RUN_WORKFLOW_TYPE } from '../domain/runs/messages.ts';
import type { PublishedDefinition } from '../domain/runs/run-record.ts';
import { MANUAL_TRIGGER } from '../domain/runs/triggers/run-trigger.ts';
import { SCHEDULED_RUN_WORKFLOW_TYPE } from '../domain/runs/triggers/schedule.ts';
import { validateDefinition } from '../domain/runs/validate.ts';
import { contentHash } from '../temporal/content-hash.ts';
import { type ForeignRun, readForeignRun } from '../temporal/foreign-run.ts';
import type { DecodePayloads } from '../temporal/history-payloads.ts';
import { type TenantNamespaces, tenantOr } from '../temporal/tenant-namespaces.ts';
import type { ProjectorMetrics } from './projector-metrics.ts';

export type AdoptDeps = {
  pool: pg.Pool;
  connection: Connection;
  namespaces: TenantNamespaces;
  /** Whose workers run workflows. */
  workflowQueues: readonly string[];
  decode: DecodePayloads;
  metrics: ProjectorMetrics;
  log: Logger;
};

const ALL_SHARDS = Array.from({ length: SHARDS }, (_, shard) => shard);
const REFUSED = { max: 5_000, ttl: 30_000 };

/**
 * Gives a row to a run that somebody else's client has started in one of our queues, so that it is followed like any other.
 * False for what is no run of ours to show: workflows of other queues, what belongs to a schedule or to a run that brings its own
 * children along, and ids that the store has had before.
 */
export function createAdoption(deps: AdoptDeps): (id: string) => Promise<boolean> {
  const refused = new LRUCache<string, true>(REFUSED);
  return async (id) => {
    if (refused.has(id)) return false;
    const found = await find(deps, id);
    if (found && (await adopt(deps, id, found))) return true;
    // A child is made known by its parent's own events, which may come at any moment.
    if (!found?.parentId) refused.set(id, true);
    return false;
  };
}

async function find({ connection, namespaces, decode }: AdoptDeps, id: string): Promise<ForeignRun | undefined> {
  for (const namespace of namespaces.all) {
    const found = await readForeignRun(connection, namespace, id, decode);
    if (found) return found;
  }
  return undefined;
}

async function adopt(deps: AdoptDeps, id: string, found: ForeignRun): Promise<boolean> {
  const { pool, namespaces, metrics, log } = deps;
  if (!deps.workflowQueues.includes(found.taskQueue) || found.workflowType === SCHEDULED_RUN_WORKFLOW_TYPE)
    return false;
  if (isEngineChild(found)) return false;
  const tenantId = namespaces.ownerOf(found.namespace) ?? tenantOr(found.tenant);
  // A run is looked for where its tenant's runs are.
  if (namespaces.of(tenantId) !== found.namespace) {
    log.warn({ runId: id, tenantId, namespace: found.namespace }, 'a run lies outside the namespace of its tenant');
    return false;
  }
  if ((await unknownRuns(pool, ALL_SHARDS, [id])).length === 0) return false;
  const { workflowId: workflow, version, hash } = await definitionOf(pool, tenantId, found);
  const { inserted } = await insertRun(pool, {
    ...{ id: runId(id), tenantId, workflowId: workflow, version, definitionHash: hash, input: inputOf(found) },
    ...{ idempotencyKey: null, createdAt: found.startedAt },
    trigger: { ...MANUAL_TRIGGER, source: found.startedBy },
  });
  if (inserted) {
    metrics.adopted.inc();
    log.info({ runId: id, workflowType: found.workflowType, startedBy: found.startedBy }, 'a run of another client');
  }
  return true;
}

const isRun = ({ workflowType }: ForeignRun): boolean => workflowType === RUN_WORKFLOW_TYPE;

function isEngineChild(found: ForeignRun): boolean {
  const [args] = found.arguments;
  return isRun(found) && found.parentId !== null && isJsonObject(args) && args['child'] === true;
}

function inputOf(found: ForeignRun): Json {
  const [first, ...others] = found.arguments;
  if (isRun(found)) return isJsonObject(first) ? (first['input'] ?? null) : null;
  return others.length > 0 ? [...found.arguments] : (first ?? null);
}

/** What a run brought along and nobody has published is kept for it, but starts no other run. */
async function definitionOf(pool: pg.Pool, tenantId: TenantId, found: ForeignRun): Promise<PublishedDefinition> {
  const definition = broughtAlong(found) ?? (await codeOf(pool, tenantId, found.workflowType));
  const hash = definitionHash(contentHash(canonicalJson(definition)));
  const known = await readDefinitionByHash(pool, hash);
  if (known?.tenantId === tenantId) return known;
  const published = await publishDefinition(pool, { tenantId, hash, definition });
  const reason = 'It came with a run that another client started';
  return isCode(definition) ? published : ((await setDeprecation(pool, published, { reason }, null)) ?? published);
}

function broughtAlong(found: ForeignRun): WorkflowDefinition | null {
  const [, second] = found.arguments;
  const definition = isRun(found) && isJsonObject(second) ? second['weftDefinition'] : undefined;
  if (definition === undefined || validateDefinition(definition).length > 0) return null;
  return definition as unknown as WorkflowDefinition;
}

async function codeOf(pool: pg.Pool, tenantId: TenantId, workflowType: string): Promise<WorkflowDefinition> {
  const definition = codeDefinition(workflowType);
  const namesake = await readDefinition(pool, tenantId, workflowId(definition.name));
  if (!namesake || isCode(namesake.definition)) return definition;
  return { ...definition, name: `${definition.name}-code` };
}
