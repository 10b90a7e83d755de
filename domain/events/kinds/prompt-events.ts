import { count, eventKind, nullable, text } from '../event-field.ts';

export const PROMPT_EVENTS = {
  'prompt.published': eventKind('A version of a prompt was published', {
    name: text('Name of the prompt'),
    version: count('Its version'),
    hash: text('SHA-256 of its texts and variables, in hexadecimal'),
    by: nullable(text('Who did it; null where nobody had signed in')),
  }),
};
