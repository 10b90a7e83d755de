import type { createPool } from '../../adapters/postgres/pool.ts';
import type { RunChanges } from '../../adapters/postgres/run-changes.ts';
import type { Settings } from '../../config/settings.ts';
import type { PoolRow } from '../../domain/runs/pools.ts';
import type { createTemporalClient } from '../../temporal/client.ts';
import type { QueueWatch } from '../../temporal/queue-watch.ts';
import type { Replayer } from '../../temporal/replay/create-replayer.ts';
import type { SecretBox } from '../../temporal/secret-box.ts';
import type { InputValidators } from './input-validators.ts';

/** What the operations of this room work on. */
export type RunsDeps = {
  pool: ReturnType<typeof createPool>;
  temporal: ReturnType<typeof createTemporalClient>;
  /** Where a tenant's runs are, when not every tenant's are in the same place. */
  temporalOf?: (tenantId: string) => RunsDeps['temporal'];
  settings: Pick<
    Settings,
    | 'TEMPORAL_UI_URL'
    | 'TEMPORAL_NAMESPACE'
    | 'WEFT_TENANT_NAMESPACES'
    | 'WEFT_PAYLOAD_MAX_BYTES'
    | 'WEFT_SUBGRAPH_TIMEOUT_MS'
    | 'WEFT_TENANT_WEIGHTS'
    | 'WEFT_PUBLIC_URL'
    | 'WEFT_HOST'
    | 'PORT'
  >;
  log: { info: (fields: Record<string, unknown>, message: string) => void };
  /** W3C Trace Context of the request at hand. */
  traceparent: () => string | null;
  /** `X-Correlation-ID` of the request at hand. */
  correlationId?: () => string | null;
  validators: InputValidators;
  /** Task queues and who serves them. */
  pools: readonly PoolRow[];
  /** How the queues are doing, as Temporal sees them. */
  queues: QueueWatch;
  /** Tells the projectors that a run has new history. */
  hint: (runId: string) => void;
  runChanges: RunChanges;
  /** Tells this process' runner that there is a batch. */
  wakeBatches: () => void;
  secrets: SecretBox;
  /** Null where the workflow code is not known. */
  replay?: Replayer | null;
};
