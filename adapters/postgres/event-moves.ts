import type { TamperingKind } from '../../domain/events/verification.ts';
import { type BrokenEvent, nextLink, vouchesFor } from './event-chain.ts';

type Fault = { version: number; kind: TamperingKind; detail: string };

/** Looking for where an event came from takes the cube of this. */
const MOST_COMPARED = 20;

/** Says of events with a wrong link what is wrong, and leaves out those that are whole and only follow one that is not. */
export function movedEvents(broken: readonly BrokenEvent[]): Fault[] {
  const compared = broken.slice(0, MOST_COMPARED);
  const links = new Set(compared.flatMap(({ previous, link }) => [previous, link]));
  const versions = new Set(compared.map(({ fields }) => fields.version));
  const versionThatFits = ({ fields, digest, link }: BrokenEvent): number | undefined =>
    [fields.version, ...versions].find((version) =>
      [...links].some((previous) => nextLink(previous, { ...fields, version }, digest) === link),
    );
  return broken.flatMap((event, index): Fault[] => {
    const { version } = event.fields;
    const fitting = index < MOST_COMPARED ? versionThatFits(event) : undefined;
    if (fitting === version) return [];
    if (fitting !== undefined) {
      return [{ version, kind: 'MOVED', detail: `this is the event that had version ${fitting}` }];
    }
    if (!vouchesFor(event.link, event.digest)) {
      return [{ version, kind: 'PAYLOAD', detail: 'the payload is not the one that was appended' }];
    }
    const detail = 'type, times, ids, position, version or link are not those that were appended';
    return [{ version, kind: 'FIELDS', detail }];
  });
}
