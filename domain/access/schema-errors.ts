import type { ErrorRow } from '../errors.ts';

/** Of the schemas that subgraphs publish. */
export const SCHEMA_ERRORS = {
  SCHEMA_INVALID: {
    status: 422,
    retry: false,
    message: (f) => `The schema makes no graph with those of the other subgraphs: ${String(f['count'])} problem(s)`,
    hint: 'Each one is in `problems`; `weft schema check` shows them without publishing.',
  },
  SCHEMA_BREAKING: {
    status: 409,
    retry: false,
    message: (f) => `Callers may break by ${String(f['count'])} change(s)`,
    hint: 'Each one is in `problems`. Publish it all the same with `force` (`weft schema publish --force`).',
  },
  SCHEMA_CONTENDED: {
    status: 409,
    retry: true,
    message: () => 'Others published schemas again and again meanwhile; nothing has been published',
  },
} as const satisfies Record<string, ErrorRow>;
