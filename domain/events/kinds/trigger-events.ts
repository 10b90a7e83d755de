import { anything, count, eventKind, flag, moment, nullable, object, text } from '../event-field.ts';

const by = { by: nullable(text('Who did it; null where nobody had signed in')) };
const trigger = {
  id: text('Id'),
  name: text('Name'),
  workflowId: text('The workflow that it starts'),
  version: nullable(count('The version that it starts; null for the latest')),
  ...by,
};
const schedule = { ...trigger, spec: object('When it fires'), overlap: text('What happens when a run is open') };
const webhook = { ...trigger, enabled: flag('Whether it takes messages') };
const eventTrigger = {
  ...trigger,
  event: text('Name of the event that fires it'),
  filter: nullable(text('Expression over the event')),
  enabled: flag('Whether it fires'),
};
const gone = { id: text('Id'), ...by };

export const TRIGGER_EVENTS = {
  'schedule.created': eventKind('A schedule was made', schedule),
  'schedule.changed': eventKind('A schedule was changed', schedule),
  'schedule.deleted': eventKind('A schedule was deleted', gone),
  'schedule.paused': eventKind('A schedule was paused', { ...gone, note: nullable(text('Why')) }),
  'schedule.unpaused': eventKind('A schedule fires again', { ...gone, note: nullable(text('Why')) }),
  'schedule.triggered': eventKind('A schedule was made to fire at once', gone),
  'schedule.backfilled': eventKind('A schedule was made to fire for a time that is past', {
    ...gone,
    from: moment('Begin of that time'),
    to: moment('End of that time'),
  }),
  'webhook.created': eventKind('A webhook was made', webhook),
  'webhook.changed': eventKind('A webhook was changed', webhook),
  'webhook.secret_rotated': eventKind('A webhook got another secret', gone),
  'webhook.deleted': eventKind('A webhook was deleted', gone),
  'event_trigger.created': eventKind('A trigger by events was made', eventTrigger),
  'event_trigger.changed': eventKind('A trigger by events was changed', eventTrigger),
  'event_trigger.deleted': eventKind('A trigger by events was deleted', gone),
  'batch.started': eventKind('An operation over many runs was started', {
    id: text('Id'),
    operation: text('What is done to each run'),
    filter: anything('Which runs'),
    total: count('How many runs were chosen'),
    dryRun: flag('Whether the runs are only counted'),
    reason: nullable(text('Why')),
    ...by,
  }),
  'batch.cancelled': eventKind('An operation over many runs was cancelled', {
    ...gone,
    done: count('Runs that it had been done to'),
    failed: count('Runs that refused it'),
  }),
  'batch.completed': eventKind('An operation over many runs came to its end', {
    id: text('Id'),
    done: count('Runs that it was done to'),
    failed: count('Runs that refused it'),
  }),
};
