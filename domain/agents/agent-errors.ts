import type { ErrorRow } from '../errors.ts';

/** Rows of the error table, of agents. Those of limits that are reached are codes of `fail` nodes. */
export const AGENT_ERRORS = {
  AGENT_COST_UNKNOWN: {
    status: 422,
    retry: false,
    message: (f) =>
      `The agent may spend ${String(f['microUsd'])} micro-USD, but ${String(f['provider'])}/${String(f['model'])} has no known price`,
    hint: 'Take another model, or limit turns instead of money.',
  },
} as const satisfies Record<string, ErrorRow>;
