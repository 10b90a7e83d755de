import type { RunEventType } from '../../runs/run-event.ts';
import {
  anything,
  count,
  eventKind,
  type Fields,
  group,
  listOf,
  nullable,
  object,
  oneOf,
  optional,
  text,
} from '../event-field.ts';

const node = { nodeId: text('Node id'), iteration: text('Which execution of the node, such as `1` or `2.5`') };
const openNode = {
  nodeId: text('Node id'),
  iteration: nullable(text('Which execution; null for the only one that fits')),
};
const child = { ...node, chunk: nullable(count('Which slice of a map; null for the whole node')) };
const by = { by: nullable(text('Who asked for it; null where nobody had signed in')) };
const reason = { reason: nullable(text('Why')) };
const error = {
  error: group('Why', {
    code: text('Code of the error table'),
    message: text('Explanation for people'),
    nodeId: nullable(text('The node that failed')),
    hint: nullable(text('What to do about it')),
  }),
};
const output = { output: anything('Output') };

/** What the engine folds: one for each event of Temporal's history that changes a run. */
export const RUN_EVENTS = {
  'run.started': eventKind('A run began, or a link of it that goes on from the one before', {
    input: anything('Input'),
    continues: optional(text('Temporal run id of the link before')),
    webhooks: optional(object('Addresses of webhook nodes')),
    slice: optional(anything('Which items of a map a child run does')),
    seed: optional(anything('Results of an earlier run that are taken over')),
    forked: optional(anything('The state of an earlier run that this one goes on from')),
    migrated: optional(anything('The version that this link has taken up')),
  }),
  'node.scheduled': eventKind('An activity of a node was scheduled', node),
  'node.started': eventKind('A worker took it', { ...node, attempt: count('Attempt, from 1') }),
  'node.completed': eventKind('A node gave its output', { ...node, ...output }),
  'node.failed': eventKind('A node failed for good', { ...node, ...error }),
  'node.parked': eventKind('A node may not go on before a moment, and waits for it', {
    ...node,
    until: count('The moment, in milliseconds since the epoch'),
    ...error,
  }),
  'node.cancelled': eventKind('A node was cancelled', node),
  'node.retry_requested': eventKind('Somebody wants a failed node tried again', { ...openNode, ...by }),
  'node.skip_requested': eventKind('Somebody gives a node its output', { ...openNode, ...output, ...by }),
  'group.completed': eventKind('Fused nodes came to their end together', {
    ...node,
    results: listOf('What each came to', object('Node, execution, times, and output or error')),
  }),
  'group.failed': eventKind('Fused nodes failed together; each runs by itself now', node),
  'child.scheduled': eventKind('A child run was asked for', { ...child, runId: text('Run id of the child') }),
  'child.started': eventKind('A child run began', child),
  'child.completed': eventKind('A child run gave its output', { ...child, ...output }),
  'child.failed': eventKind('A child run did not complete', { ...child, ...error }),
  'timer.started': eventKind('A node waits for a moment', node),
  'timer.fired': eventKind('The moment came', node),
  'approval.decided': eventKind('Somebody answered an approval', {
    ...openNode,
    decision: oneOf('Decision', ['APPROVED', 'REJECTED']),
    comment: nullable(text('Comment')),
    data: anything('Data given with it'),
    decidedBy: nullable(text('Who decided')),
  }),
  'event.received': eventKind('An event from outside reached the run', {
    id: text('Id of the event'),
    name: text('Name of the event'),
    correlation: nullable(text('Correlation of the event')),
    data: anything('Data of the event'),
  }),
  'webhook.received': eventKind('A message came to the address of a node', { ...openNode, data: anything('Message') }),
  'variable.set': eventKind('Somebody changed a variable', { name: text('Name'), value: anything('Value'), ...by }),
  'run.paused': eventKind('Somebody paused the run', { ...reason, ...by }),
  'run.resumed': eventKind('Somebody let the run go on', by),
  'run.yielded': eventKind('A long computation gave way', {}),
  'run.ticked': eventKind('It goes on', {}),
  'run.continued_as_new': eventKind('The run goes on in another link', {
    temporalRunId: optional(nullable(text('Temporal run id of that link'))),
  }),
  'run.cancel_requested': eventKind('Somebody wants the run cancelled', reason),
  'run.completed': eventKind('The run gave its output', output),
  'run.failed': eventKind('The run failed', error),
  'run.cancelled': eventKind('The run ended cancelled', {}),
  'run.terminated': eventKind('The run was ended from outside, at once', reason),
  'run.timed_out': eventKind('The run took longer than it may', {}),
} as const satisfies Record<RunEventType, { payload: Fields }>;

const activity = { scheduled: count('Version of the event that scheduled it') };

/** The rest of Temporal's history: changes nothing that the engine knows of. */
export const BOOKKEEPING_EVENTS = {
  'workflow_task.scheduled': eventKind('Temporal wants the next decision', {}),
  'workflow_task.started': eventKind('A worker took the decision', {}),
  'workflow_task.completed': eventKind('The decision was made', {}),
  'workflow_task.failed': eventKind('The decision could not be made; Temporal tries again', {
    cause: nullable(text("Temporal's cause")),
    message: nullable(text('What went wrong')),
  }),
  'workflow_task.timed_out': eventKind('The worker did not answer', {
    timeoutType: nullable(text('Which time was over')),
  }),
  'update.completed': eventKind('A message to the run was answered', { failure: nullable(text('Why it was refused')) }),
  'search_attributes.upserted': eventKind('What Temporal is searched by was changed', {
    names: listOf('Search attributes', text('Name')),
  }),
  'timer.cancelled': eventKind('A timer is not needed any more', {
    nodeId: optional(text('Node id')),
    iteration: optional(text('Which execution')),
  }),
  'node.cancel_requested': eventKind('A node is to be cancelled', node),
  'run.signalled': eventKind('A signal that nobody here knows came', { signal: nullable(text('Name of the signal')) }),
  'run.migrate_requested': eventKind('Somebody wants the run to go on in another version', {
    version: nullable(count('Version')),
    hash: nullable(text('Hash of its definition')),
    mapping: object('Where nodes are in that version'),
    ...reason,
    ...by,
  }),
  'history.lost': eventKind('Temporal deleted the history of this link before all of it was read', {
    continuesIn: nullable(text('Temporal run id of the link in which the run goes on')),
  }),
  'local_activity.failed': eventKind('Fused nodes failed together', {}),
  'activity.scheduled': eventKind('An activity of a workflow written by hand was scheduled', {
    activityId: text('Activity id'),
    activityType: text('Activity type'),
  }),
  'activity.started': eventKind('A worker took it', { ...activity, attempt: count('Attempt, from 1') }),
  'activity.completed': eventKind('It gave its output', { ...activity, ...output }),
  'activity.failed': eventKind('It failed for good', { ...activity, ...error }),
  'activity.cancelled': eventKind('It was cancelled', activity),
};
