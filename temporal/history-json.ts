import { createRequire } from 'node:module';
import type proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { AppError } from '../domain/errors.ts';
import { isJsonObject, type JsonObject } from '../domain/json.ts';

type History = temporal.api.history.v1.IHistory;
type Protojson = {
  fromJson: (type: unknown, json: unknown, options: { ignoreUnknownFields: boolean }) => History;
  toJson: (type: unknown, message: unknown) => JsonObject;
};

// The SDK's own reader takes another copy of protobufjs than that of the types, and fails; this is the types' own.
const requireBesideProto = createRequire(import.meta.resolve('@temporalio/proto'));
const { fromJson, toJson } = requireBesideProto('protobufjs/ext/protojson') as Protojson;
const { History: historyType } = (requireBesideProto('@temporalio/proto') as typeof proto).temporal.api.history.v1;

/** Enum fields that older exports write without the prefix of their values, such as `WorkflowExecutionStarted`. */
const ENUM_PREFIXES: Readonly<Record<string, string>> = {
  eventType: 'EVENT_TYPE',
  kind: 'TASK_QUEUE_KIND',
  parentClosePolicy: 'PARENT_CLOSE_POLICY',
  workflowIdReusePolicy: 'WORKFLOW_ID_REUSE_POLICY',
  initiator: 'CONTINUE_AS_NEW_INITIATOR',
  retryState: 'RETRY_STATE',
  timeoutType: 'TIMEOUT_TYPE',
};

/** A history as the Temporal CLI (`workflow show -o json`), the Web UI and the SDKs write it. @throws INPUT_INVALID */
export function historyFromJson(value: unknown): History {
  if (!isJsonObject(value) || !Array.isArray(value['events']) || value['events'].length === 0) {
    throw new AppError('INPUT_INVALID', { detail: 'a Temporal history is an object with a list `events`' });
  }
  try {
    return fromJson(historyType, prefixed({ events: value['events'] }), { ignoreUnknownFields: true });
  } catch (error) {
    const detail = `this is no Temporal history, or one with its payloads decoded: ${(error as Error).message}`;
    throw new AppError('INPUT_INVALID', { detail }, error);
  }
}

/** In proto's own JSON, which the Temporal CLI and the SDKs read. */
export function historyToJson(history: History): JsonObject {
  return toJson(historyType, historyType.fromObject(history));
}

function prefixed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(prefixed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const prefix = Object.hasOwn(ENUM_PREFIXES, name) ? ENUM_PREFIXES[name] : undefined;
      const bare = prefix !== undefined && typeof inner === 'string' && /^[A-Z][a-z]/.test(inner);
      return [name, bare ? `${prefix}_${constantCase(inner)}` : prefixed(inner)];
    }),
  );
}

const constantCase = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
