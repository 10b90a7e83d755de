import type { Tampering } from '../../domain/events/verification.ts';
import { chainStart, nextLink, payloadDigest } from '../postgres/event-chain.ts';
import type { ArchivedRun } from './archived-run.ts';

/** Whether the events of a file are those that the chain vouches for, from the first to the end that the streams were left with. */
export function verifyArchivedRun({ tenantId, streams }: ArchivedRun): Tampering[] {
  const found: Tampering[] = [];
  for (const { stream, events } of streams) {
    const report = (version: number, kind: Tampering['kind'], detail: string) =>
      found.push({ tenantId, streamId: stream.streamId, version, kind, detail });
    let link = chainStart(tenantId, stream.streamId);
    for (const [index, event] of events.entries()) {
      const digest = payloadDigest(event.payload);
      if (event.version !== index + 1) report(index + 1, 'REMOVED', `version ${event.version} stands in its place`);
      else if (nextLink(link, event, digest) !== event.link)
        report(event.version, 'FIELDS', 'the link does not follow');
      link = event.link;
    }
    if (events.length !== stream.version || link !== stream.head) {
      report(stream.version, 'HEAD', `the stream ended with version ${stream.version}, the file with ${events.length}`);
    }
  }
  return found;
}
