import {
  publishDefinition,
  readDefinitionByHash,
  setDeprecation,
} from '../../../adapters/postgres/definition-store.ts';
import { type FeedPage, writeFeedPages } from '../../../adapters/postgres/feed-store.ts';
import { insertRun, readRun } from '../../../adapters/postgres/run-store.ts';
import { inTransaction } from '../../../adapters/postgres/transaction.ts';
import { ChangedExecutions } from '../../../domain/events/changed-executions.ts';
import { followMigration, type RecordedMigration } from '../../../domain/events/follow-migration.ts';
import { foldStored, migrationOf, type RunFold } from '../../../domain/events/run-fold.ts';
import { DEFAULT_TENANT, definitionHash, runId } from '../../../domain/identifiers.ts';
import { isJsonObject, type Json } from '../../../domain/json.ts';
import { canonicalJson } from '../../../domain/runs/canonical-json.ts';
import { compileDefinition, type CompiledDefinition } from '../../../domain/runs/compile.ts';
import type { WorkflowDefinition } from '../../../domain/runs/definition.ts';
import type { PublishedDefinition } from '../../../domain/runs/run-record.ts';
import { initialState } from '../../../domain/runs/run-state.ts';
import { isClosed } from '../../../domain/runs/run-status.ts';
import { validateDefinition } from '../../../domain/runs/validate.ts';
import { contentHash } from '../../../temporal/content-hash.ts';
import { createHistoryDecoder, type DecodePayloads } from '../../../temporal/history-payloads.ts';
import { type HistoryStoredEvent, historyToEvents } from '../../../temporal/history-to-events.ts';
import { recordedPayloads } from '../../../temporal/replay/recorded-payloads.ts';
import type { ReplayLink } from '../../../temporal/replay/replay-links.ts';
import { UsageError } from '../usage-error.ts';
import { readHistoryFile } from './history-file.ts';
import { type Database, withServers } from './replay-servers.ts';

type Link = { temporalRunId: string; events: HistoryStoredEvent[]; published: PublishedDefinition; input: Json };

const IMPORTED = 'It came with an imported history';

/** `weft history import`: a closed run, with all its links, becomes one of the event store. Gives the exit code. */
export async function importHistory(file: string, { as }: { as?: string }): Promise<number> {
  return withServers(async (servers) => {
    const { pool } = servers;
    if (pool === null) throw new UsageError('There is no database', 'Set DATABASE_URL, or start one with: npm start.');
    const { links, payloads } = await readHistoryFile(file);
    const decode = createHistoryDecoder(servers.settings, recordedPayloads(payloads, servers.store, servers.cipher));
    const read: Link[] = [];
    for (const { history } of links) read.push(await readLink(pool, history, decode));
    const id = as ?? links[0]?.workflowId ?? '';
    const events = await storeRun(pool, id, read);
    process.stdout.write(`${id}  ${events} events in ${read.length} links\n`);
    return 0;
  });
}

async function readLink(pool: Database, history: ReplayLink['history'], decode: DecodePayloads): Promise<Link> {
  const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
  const [args, second] = await decode(started?.input?.payloads);
  const definition = isJsonObject(second) ? second['weftDefinition'] : undefined;
  if (definition === undefined || validateDefinition(definition).length > 0) {
    throw new UsageError('The history brings no definition along', 'Export it with: weft history export <run> --all.');
  }
  const temporalRunId = started?.originalExecutionRunId ?? '';
  const input = isJsonObject(args) ? (args['input'] ?? null) : null;
  const events = await historyToEvents(history.events ?? [], new Map(), decode);
  return { temporalRunId, events, input, published: await keep(pool, definition as unknown as WorkflowDefinition) };
}

/** One that nobody has published is kept for the run, but starts no other. */
async function keep(pool: Database, definition: WorkflowDefinition): Promise<PublishedDefinition> {
  const hash = definitionHash(contentHash(canonicalJson(definition)));
  const known = await readDefinitionByHash(pool, hash);
  if (known) return known;
  const published = await publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition });
  return (await setDeprecation(pool, published, { reason: IMPORTED }, null)) ?? published;
}

async function storeRun(pool: Database, name: string, links: readonly Link[]): Promise<number> {
  const id = runId(name);
  const [first] = links;
  if (first === undefined) throw new UsageError('The file has no links', null);
  if (await readRun(pool, DEFAULT_TENANT, id)) {
    throw new UsageError(`There is a run ${id} already`, 'Give the imported one another id with --as.');
  }
  const pages = foldLinks(id, links);
  const { tenantId, workflowId, version, hash } = first.published;
  const createdAt = first.events[0]?.occurredAt ?? new Date();
  const row = { id, tenantId, workflowId, version, definitionHash: hash, input: first.input };
  await inTransaction(pool, async (client) => {
    await insertRun(client, { ...row, idempotencyKey: null, createdAt });
    // One that is PENDING would be started.
    await client.query(`UPDATE runs SET status = 'RUNNING', started_at = created_at WHERE id = $1`, [id]);
  });
  for (const page of pages) {
    const stale = await writeFeedPages(pool, [page]);
    if (stale.size > 0) throw new UsageError(`Somebody else writes run ${id}`, null);
  }
  return links.reduce((sum, { events }) => sum + events.length, 0);
}

/** As the projector folds them; child runs have histories of their own. */
function foldLinks(id: string, links: readonly Link[]): FeedPage[] {
  const definitions = new Map<string, CompiledDefinition>(
    links.map(({ published }) => [published.hash, compileDefinition(published.definition)]),
  );
  const compiled = definitions.get((links[0] as Link).published.hash) as CompiledDefinition;
  let fold: RunFold = { compiled, state: initialState(compiled) };
  let sequenceBase = 0;
  const pages: FeedPage[] = [];
  for (const [index, { temporalRunId, events, published }] of links.entries()) {
    const changed = new ChangedExecutions(fold.compiled, index === 0 ? null : fold.state, fold.state);
    const migrations: RecordedMigration[] = [];
    for (const event of events) {
      const before = fold;
      const migration = migrationOf(event);
      fold = foldStored(fold, event, (hash) => definitions.get(hash));
      if (migration) migrations.push(followMigration(changed, before, fold, migration));
      else changed.folded(fold.state);
    }
    const { tenantId } = published;
    const written = { events, token: null, ended: true, state: fold.state, migrations, changedNodes: changed.all() };
    pages.push({ tenantId, runId: id, temporalRunId, sequenceBase, expectedVersion: 0, children: [], ...written });
    sequenceBase += events.length;
  }
  if (isClosed(fold.state.status)) return pages;
  throw new UsageError('The run is not closed in this history', 'Export it again when it is.');
}
