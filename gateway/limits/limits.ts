import { GraphQLError } from 'graphql';
import type { Settings } from '../../config/settings.ts';
import type { Measures } from './measure-operation.ts';

export type LimitName = keyof Measures | 'tokens' | 'cost' | 'batch';
export type Limits = Readonly<Record<LimitName, number>> & {
  /** For how many items a list counts of which nothing says how long it is. */
  listSize: number;
};

export function limitsOf(settings: Settings): Limits {
  return {
    tokens: settings.WEFT_GATEWAY_MAX_TOKENS,
    depth: settings.WEFT_GATEWAY_MAX_DEPTH,
    fields: settings.WEFT_GATEWAY_MAX_FIELDS,
    aliases: settings.WEFT_GATEWAY_MAX_ALIASES,
    rootFields: settings.WEFT_GATEWAY_MAX_ROOT_FIELDS,
    directives: settings.WEFT_GATEWAY_MAX_DIRECTIVES,
    cost: settings.WEFT_GATEWAY_MAX_COST,
    batch: settings.WEFT_GATEWAY_MAX_BATCH,
    listSize: settings.WEFT_GATEWAY_LIST_SIZE,
  };
}

const WHAT: Readonly<Record<LimitName, (seen: string) => string>> = {
  tokens: (seen) => `The document has ${seen} tokens`,
  depth: (seen) => `The operation is ${seen} fields deep`,
  fields: (seen) => `The operation has ${seen} fields, with those of fragments as often as they are spread`,
  aliases: (seen) => `The operation has ${seen} aliases`,
  rootFields: (seen) => `The operation has ${seen} fields at its root`,
  directives: (seen) => `The operation has ${seen} directives`,
  cost: (seen) => `The operation costs ${seen}`,
  batch: (seen) => `The request has ${seen} operations`,
};

/** `seen` is null where counting stopped at the limit. */
export function limitExceeded(limit: LimitName, seen: number | null, allowed: number): GraphQLError {
  const text = seen === null ? `more than ${allowed}` : String(seen);
  return new GraphQLError(`${WHAT[limit](text)}; the limit is ${allowed}`, {
    extensions: { code: 'OPERATION_TOO_LARGE', limit, seen, allowed },
  });
}
