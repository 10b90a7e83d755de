import proto, { type temporal } from '@temporalio/proto';
import { isJsonObject, type Json } from '../domain/json.ts';
import { failureToRunError } from '../domain/runs/run-error.ts';
import type { RunError } from '../domain/runs/run-event.ts';
import type { DecodePayloads } from './history-payloads.ts';

type Failure = temporal.api.failure.v1.IFailure;
const { TimeoutType } = proto.temporal.api.enums.v1;

/** What a run has failed with. */
export async function runFailure(failure: Failure | null | undefined, decode: DecodePayloads): Promise<RunError> {
  const info = failure?.applicationFailureInfo;
  const [details] = await decode(info?.details?.payloads);
  const named = isJsonObject(details) ? details : {};
  const text = (value: Json | undefined) => (typeof value === 'string' ? value : null);
  const error = failureToRunError(info?.type, failure?.message ?? '', text(named['nodeId']));
  return { ...error, code: info?.type || error.code, hint: text(named['hint']) };
}

/** In Temporal's words, such as START_TO_CLOSE. */
export function timeoutName(type: number | null | undefined): string {
  return TimeoutType[type ?? 0]?.replace('TIMEOUT_TYPE_', '') ?? 'UNSPECIFIED';
}
