import { UsageError } from './usage-error.ts';

/** Of an option that may be repeated. */
export const collect = (value: string, earlier: string[]): string[] => [...earlier, value];

/** `old=new` as the API takes it; `old=` lets go of what the node has done. */
export function parseNodeMapping(pairs: readonly string[]): { [oldId: string]: string | null } {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, from, to] = /^([A-Za-z]\w*)=([A-Za-z]\w*)?$/.exec(pair) ?? [];
      if (from === undefined) throw new UsageError(`${pair} is no mapping`, 'Write old=new, such as fetch=get.');
      return [from, to ?? null];
    }),
  );
}
