import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { executionsOf, type RunState } from '../../domain/runs/run-state.ts';
import { isClosed, type RunStatus } from '../../domain/runs/run-status.ts';

const SHOWN: readonly RunStatus[] = ['WAITING', 'PAUSED', 'COMPENSATING'];
const MOST_NAMES = 20;

/** Details cost no event; the search attribute costs one, so it follows only the turns to and from the statuses that last. */
export function createStatusDisplay(legacy: boolean): (state: RunState) => void {
  // A link takes over what the one before it has shown.
  let shown = legacy ? 'RUNNING' : (workflowInfo().searchAttributes['WeftStatus']?.[0] ?? 'RUNNING');
  return (state) => {
    setCurrentDetails(detailsOf(state));
    const status = SHOWN.includes(state.status) ? state.status : 'RUNNING';
    const closing = state.cancelRequested && (legacy || status === 'RUNNING');
    if (status === shown || closing || isClosed(state.status)) return;
    shown = status;
    upsertSearchAttributes({ WeftStatus: [status] });
  };
}

function detailsOf(state: RunState): string {
  const nodes = executionsOf(state);
  const named = (label: string, status: string) => {
    const names = nodes.filter((node) => node.status === status).map((node) => node.id as string);
    const shown = names.slice(0, MOST_NAMES).join(', ');
    return names.length === 0 ? '' : `${label}: ${shown}${names.length > MOST_NAMES ? ', ...' : ''}`;
  };
  return [named('running', 'RUNNING'), named('waiting', 'WAITING')].filter(Boolean).join('\n\n');
}
