import type { temporal } from '@temporalio/proto';
import { isJsonObject } from '../domain/json.ts';
import { GROUP_ACTIVITY } from '../domain/runs/messages.ts';
import type { DecodePayloads } from './history-payloads.ts';
import type { Mapped } from './history-to-events.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
/** The name under which the SDK's core records a local activity. */
const LOCAL_ACTIVITY = 'core_local_activity';

/**
 * Fused nodes leave one marker, which holds what they came to. One that failed as a whole is not told here: its nodes are then
 * scheduled one by one.
 */
export async function mapMarker(event: HistoryEvent, decode: DecodePayloads): Promise<Mapped | undefined> {
  const marker = event.markerRecordedEventAttributes;
  if (marker?.markerName !== LOCAL_ACTIVITY) return undefined;
  const about = marker.details?.['data']?.payloads?.[0]?.data;
  if (about && !new TextDecoder().decode(about).includes(`"${GROUP_ACTIVITY}"`)) return undefined;
  const [output] = await decode(marker.details?.['result']?.payloads);
  const results = isJsonObject(output) && Array.isArray(output['results']) ? output['results'] : [];
  const [first] = results;
  if (!isJsonObject(first)) return { type: 'local_activity.failed', payload: {} };
  const { nodeId = null, iteration = null } = first;
  return { type: 'group.completed', payload: { nodeId, iteration, results } };
}
