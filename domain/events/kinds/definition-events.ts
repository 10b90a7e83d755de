import { count, eventKind, nullable, text } from '../event-field.ts';

const version = {
  workflowId: text('Id of the workflow'),
  version: count('Version'),
  hash: text('SHA-256 of the definition, in hexadecimal'),
  by: nullable(text('Who did it; null where nobody had signed in')),
};

export const DEFINITION_EVENTS = {
  'definition.published': eventKind('A version of a workflow was published', version),
  'definition.deprecated': eventKind('A version of a workflow was marked as not to be used any more', {
    ...version,
    reason: nullable(text('Why')),
  }),
  'definition.undeprecated': eventKind('A version of a workflow may be used again', version),
};
