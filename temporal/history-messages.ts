import type { temporal } from '@temporalio/proto';
import { AppError } from '../domain/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../domain/json.ts';
import {
  APPROVE_UPDATE,
  DELIVER_UPDATE,
  MIGRATE_UPDATE,
  EVENT_SIGNAL,
  PAUSE_UPDATE,
  RESUME_UPDATE,
  RETRY_UPDATE,
  SET_VARIABLE_UPDATE,
  SKIP_UPDATE,
} from '../domain/runs/messages.ts';
import type { DecodePayloads } from './history-payloads.ts';
import type { Mapped } from './history-to-events.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Message = { type: string; fields: { [name: string]: Json } };

/** What each update becomes, and the fields of its argument with what an absent one means. */
const UPDATES: { readonly [name: string]: Message } = {
  [APPROVE_UPDATE]: {
    type: 'approval.decided',
    fields: { nodeId: null, iteration: null, decision: null, comment: null, data: null, decidedBy: null },
  },
  [DELIVER_UPDATE]: { type: 'webhook.received', fields: { nodeId: null, iteration: null, data: null } },
  [MIGRATE_UPDATE]: {
    type: 'run.migrate_requested',
    fields: { version: null, hash: null, mapping: {}, reason: null, by: null },
  },
  [PAUSE_UPDATE]: { type: 'run.paused', fields: { reason: null, by: null } },
  [RESUME_UPDATE]: { type: 'run.resumed', fields: { by: null } },
  [RETRY_UPDATE]: { type: 'node.retry_requested', fields: { nodeId: null, iteration: null, by: null } },
  [SKIP_UPDATE]: { type: 'node.skip_requested', fields: { nodeId: null, iteration: null, output: null, by: null } },
  [SET_VARIABLE_UPDATE]: { type: 'variable.set', fields: { name: null, value: null, by: null } },
};
const SIGNAL: Message = { type: 'event.received', fields: { id: null, name: null, correlation: null, data: null } };

/** Updates that were accepted, and signals, as what they mean to the engine. */
export async function mapMessage(event: HistoryEvent, decode: DecodePayloads): Promise<Mapped | undefined> {
  if (event.workflowExecutionUpdateCompletedEventAttributes) {
    const { outcome } = event.workflowExecutionUpdateCompletedEventAttributes;
    return { type: 'update.completed', payload: { failure: outcome?.failure?.message ?? null } };
  }
  const signal = event.workflowExecutionSignaledEventAttributes;
  if (signal) {
    if (signal.signalName !== EVENT_SIGNAL)
      return { type: 'run.signalled', payload: { signal: signal.signalName ?? null } };
    return mapped(SIGNAL, await decode(signal.input?.payloads));
  }
  const input = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input;
  const message = input?.name ? UPDATES[input.name] : undefined;
  return message && mapped(message, await decode(input?.args?.payloads));
}

function mapped({ type, fields }: Message, [request]: readonly Json[]): Mapped {
  if (!isJsonObject(request)) throw new AppError('INPUT_INVALID', { detail: `${type} in history has no arguments` });
  const payload: JsonObject = {};
  for (const [name, absent] of Object.entries(fields)) payload[name] = request[name] ?? absent;
  return { type, payload };
}
