import { count, eventKind, nullable, text } from '../event-field.ts';

const model = {
  provider: text('Provider'),
  model: text('Model; one that ends with * is for all that begin so, an empty one for all of the provider'),
};
const by = { by: nullable(text('Who did it; null where nobody had signed in')) };

export const MODEL_RULE_EVENTS = {
  'model_price.saved': eventKind('A model was given a price of our own', {
    ...model,
    input: count('Micro-USD for a million tokens read'),
    output: count('Micro-USD for a million tokens written'),
    ...by,
  }),
  'model_price.removed': eventKind('A price of our own was removed', { ...model, ...by }),
  'provider_quota.saved': eventKind('A quota of a provider was set', {
    ...model,
    requestsPerMinute: nullable(count('Requests a minute')),
    tokensPerMinute: nullable(count('Tokens a minute')),
    ...by,
  }),
  'provider_quota.removed': eventKind('A quota of a provider was removed', { ...model, ...by }),
};
