import { BUDGET_ACTIONS, BUDGET_PERIODS, BUDGET_SCOPES, BUDGET_UNITS } from '../../models/budget.ts';
import { count, eventKind, flag, listOf, moment, nullable, oneOf, text } from '../event-field.ts';

const budget = {
  id: text('Id of the budget'),
  scope: oneOf('Whose calls it limits', BUDGET_SCOPES),
  target: nullable(text('Which project, user, workflow or run; null: each of them, or the tenant')),
  period: oneOf('How long a window is', BUDGET_PERIODS),
  unit: oneOf('What is counted', BUDGET_UNITS),
  limit: count('The limit of a window'),
};
const settings = {
  ...budget,
  action: oneOf('What becomes of a call that does not fit', BUDGET_ACTIONS),
  downgradeTo: nullable(text('The model that is asked instead')),
  warnAt: listOf('Percentages at which somebody is told', count('Percent')),
  enabled: flag('Whether it counts'),
  by: nullable(text('Who did it; null where nobody had signed in')),
};
const use = {
  ...budget,
  target: text('Which project, user, workflow or run; empty for the tenant'),
  startsAt: moment('When the window began'),
  spent: count('What has been used in the window'),
};

export const BUDGET_EVENTS = {
  'budget.created': eventKind('A budget of calls of models was made', settings),
  'budget.changed': eventKind('A budget was changed', settings),
  'budget.removed': eventKind('A budget was removed', { id: budget.id, by: settings.by }),
  'budget.warned': eventKind('Much of a window of a budget has been used', {
    ...use,
    percent: count('The percentage of the limit that was reached'),
  }),
  'budget.exhausted': eventKind('For the first time in a window a call did not fit into a budget', {
    ...use,
    action: settings.action,
    runId: text('The run whose call it was'),
  }),
  'budget.call_lost': eventKind('A worker was lost while it waited for the answer of a model, or with it', {
    id: budget.id,
    runId: nullable(text('Run id')),
    callId: text('Id of the call'),
    provider: text('Provider'),
    model: text('The model that was asked'),
    unit: budget.unit,
    amount: count('What had been reserved for it'),
    charged: flag('Whether that counts as used'),
  }),
};
