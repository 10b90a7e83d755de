import type { EffectLedger } from '../domain/tools/effect-ledger.ts';

/** Takes every call for the first and keeps nothing, for activities that are tried without a database. */
export const noLedger: EffectLedger = {
  begin: (call) => Promise.resolve({ act: 'call', attempt: 1, key: call.key }),
  finish: () => Promise.resolve(),
};
