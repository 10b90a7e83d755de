import type { ErrorRow } from '../errors.ts';

/** Rows of the error table, of models. */
export const MODEL_ERRORS = {
  MODEL_UNSUPPORTED: {
    status: 422,
    retry: false,
    message: (f) => `Provider ${String(f['provider'])} cannot do this: ${String(f['detail'])}`,
    hint: 'offline-extractive only condenses given text; `weft models list` shows what else there is and what to set for it.',
  },
  MODEL_AUTH: {
    status: 401,
    retry: false,
    message: (f) => `Provider ${String(f['provider'])} refused the credentials`,
    hint: 'Check the API key in the settings.',
  },
  MODEL_BAD_REQUEST: {
    status: 422,
    retry: false,
    message: (f) => `Provider ${String(f['provider'])} refused the request: ${String(f['detail'])}`,
  },
  MODEL_CONTENT_FILTERED: {
    status: 422,
    retry: false,
    message: (f) => `The content filter of provider ${String(f['provider'])} refused: ${String(f['detail'])}`,
  },
  MODEL_CONTEXT_TOO_LONG: {
    status: 422,
    retry: false,
    message: (f) =>
      `The request is too long for the model of provider ${String(f['provider'])}: ${String(f['detail'])}`,
    hint: 'Shorten the prompt, or name a model with a larger context in `models`.',
  },
  MODEL_QUOTA_EXHAUSTED: {
    status: 402,
    retry: false,
    message: (f) => `The account at provider ${String(f['provider'])} is used up: ${String(f['detail'])}`,
  },
  MODEL_DOWNGRADED: {
    status: 402,
    retry: false,
    message: (f) =>
      `Model ${String(f['to'])} is asked in place of those of ${String(f['provider'])}: ${String(f['detail'])}`,
  },
  MODEL_PRICE_UNKNOWN: {
    status: 422,
    retry: false,
    message: (f) => `The price of model ${String(f['model'])} of provider ${String(f['provider'])} is not known`,
    hint: 'Give it one with `weft models price`, or set WEFT_MODEL_UNKNOWN_PRICE to warn or zero.',
  },
  BUDGET_EXCEEDED: {
    status: 402,
    retry: false,
    message: (f) => String(f['detail']),
    hint: '`weft budgets list` shows what is used; `weft budgets set` raises a limit.',
  },
  MODEL_OUTPUT_INVALID: {
    status: 502,
    retry: false,
    message: (f) => `The answer of provider ${String(f['provider'])} does not match the schema: ${String(f['detail'])}`,
    hint: 'The model was told once what was wrong and asked again. Try a simpler schema or another model.',
  },
  MODEL_OVERLOADED: {
    status: 503,
    retry: true,
    message: (f) => `Provider ${String(f['provider'])} is overloaded: ${String(f['detail'])}`,
  },
  MODEL_RATE_LIMITED: {
    status: 429,
    retry: true,
    message: (f) => `Provider ${String(f['provider'])} is rate limiting`,
  },
  MODEL_UNAVAILABLE: {
    status: 503,
    retry: true,
    message: (f) => `Provider ${String(f['provider'])} is not available: ${String(f['detail'])}`,
  },
} as const satisfies Record<string, ErrorRow>;
