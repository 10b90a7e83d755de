import type pg from 'pg';
import { searchText } from '../../../domain/events/search-text.ts';
import { isJsonObject, type Json } from '../../../domain/json.ts';
import type { ProjectedEvent, Projection } from './projection.ts';

/** Words of runs, in no language in particular: as they are written, without regard to case. */
export const RUN_SEARCH: Projection = {
  name: 'run-search',
  version: 1,
  meaning: 'The words of each run: name, labels, input, output and errors.',
  tables: ['run_search'],
  types: [
    'run.started',
    'run.completed',
    'run.failed',
    'run.terminated',
    'run.cancel_requested',
    'node.failed',
    'approval.decided',
  ],
  apply,
};

type Words = { tenantId: string; runId: string; first: boolean; weight: 'B' | 'C' | 'D'; text: string };

/** Events are taken one by one, so that the same comes out however they are parted into batches. */
async function apply(
  client: pg.PoolClient,
  events: readonly ProjectedEvent[],
  table: (name: string) => string,
): Promise<void> {
  const words = events.flatMap(wordsOf);
  if (words.length === 0) return;
  await client.query(
    `WITH given AS (
       SELECT * FROM unnest($1::text[], $2::text[], $3::bool[], $4::"char"[], $5::text[]) WITH ORDINALITY
         AS given(tenant_id, run_id, first, weight, words, ordinal)
     ), parts AS (
       SELECT tenant_id, run_id, -1 AS ordinal, document FROM ${table('run_search')}
       WHERE (tenant_id, run_id) IN (SELECT tenant_id, run_id FROM given)
       UNION ALL
       SELECT run.tenant_id, run.id, 0, setweight(to_tsvector('simple', concat_ws(' ', run.id, run.workflow_id,
                run.idempotency_key, (SELECT string_agg(key || ' ' || value, ' ' ORDER BY key) FROM jsonb_each_text(run.labels)))), 'A')
       FROM given JOIN runs run ON run.id = given.run_id AND run.tenant_id = given.tenant_id WHERE given.first
       UNION ALL
       SELECT tenant_id, run_id, ordinal, setweight(to_tsvector('simple', words), weight) FROM given
     )
     INSERT INTO ${table('run_search')} (tenant_id, run_id, document)
     SELECT tenant_id, run_id, weft_words(document ORDER BY ordinal) FROM parts GROUP BY tenant_id, run_id
     ON CONFLICT (tenant_id, run_id) DO UPDATE SET document = excluded.document`,
    [
      words.map(({ tenantId }) => tenantId),
      words.map(({ runId }) => runId),
      words.map(({ first }) => first),
      words.map(({ weight }) => weight),
      words.map(({ text }) => text),
    ],
  );
}

function wordsOf({ type, payload, tenantId, correlationId, sequence }: ProjectedEvent): Words[] {
  if (correlationId === null || !isJsonObject(payload)) return [];
  const found = (weight: Words['weight'], text: string): Words[] => [
    { tenantId, runId: correlationId, first: sequence === 1, weight, text },
  ];
  switch (type) {
    case 'run.started':
      return 'continues' in payload ? [] : found('D', searchText(payload['input'] ?? null));
    case 'run.completed':
      return found('C', searchText(payload['output'] ?? null));
    case 'approval.decided':
      return found('C', searchText([payload['comment'] ?? null, payload['data'] ?? null]));
    case 'run.failed':
    case 'node.failed':
      return found('B', errorText(payload['error'] ?? null));
    default:
      return found('B', searchText(payload['reason'] ?? null));
  }
}

/** An error is found by its code as one word, and by the parts of that. */
function errorText(error: Json): string {
  if (!isJsonObject(error)) return searchText(error);
  const { code, message, nodeId } = error;
  return searchText([code ?? null, String(code ?? '').replaceAll('_', ' '), message ?? null, nodeId ?? null]);
}
