import type { Json } from '../json.ts';
import type { EffectCall, EffectOutcome, EffectPlace, OnUnknown } from './effect.ts';

export type BegunEffect =
  { act: 'call'; attempt: number; key: string } | { act: 'return'; receipt: Json } | { act: 'refuse'; attempt: number };

/** Where every call to the outside that may change something is written down before it is made and after it was answered. */
export interface EffectLedger {
  /** `keyOfChanged` is the key for a request that differs from an earlier one of the same execution. */
  begin(call: EffectCall, options: { onUnknown: OnUnknown; keyOfChanged: string }): Promise<BegunEffect>;
  finish(place: EffectPlace, attempt: number, outcome: EffectOutcome): Promise<void>;
}
