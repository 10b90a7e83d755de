import type { Settings } from '../../config/settings.ts';
import { UNSTARTED_LINK } from '../../domain/runs/flow-control/unstarted-link.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';

type UiSettings = Pick<Settings, 'TEMPORAL_UI_URL' | 'TEMPORAL_NAMESPACE'>;

/** The run's history in Temporal Web UI; a search for it until the first event has told Temporal's own run id. */
export function temporalUrl(settings: UiSettings, run: Pick<RunRecord, 'id' | 'temporalRunId'>): string {
  const base = `${settings.TEMPORAL_UI_URL.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(settings.TEMPORAL_NAMESPACE)}`;
  if (run.temporalRunId === null || run.temporalRunId === UNSTARTED_LINK)
    return `${base}/workflows?query=${encodeURIComponent(`WorkflowId="${run.id}"`)}`;
  return `${base}/workflows/${encodeURIComponent(run.id)}/${run.temporalRunId}/history`;
}
