import type { Json, JsonObject } from '../json.ts';

/** A tool that a server of ours offers. */
export type ServedTool = {
  name: string;
  title?: string;
  description: string;
  /** JSON Schema of an object. */
  inputSchema: JsonObject;
  readOnly?: boolean;
  destructive?: boolean;
  idempotent?: boolean;
};

/** A call of one. `Signal` is the platform's AbortSignal: it aborts when the caller has gone or does not want the answer any more. */
export type ServedCall<Signal> = {
  name: string;
  arguments: JsonObject;
  /** By which a caller makes a repeat known as one. */
  key: string | null;
  signal: Signal;
  /** Null where the caller has asked for no progress. */
  progress: ((message: string) => void) | null;
};

/** `text` is for whoever reads only that; default is `value` as JSON. */
export type ServedAnswer = { value: Json; text?: string; isError?: boolean };

/** What one of our servers does for one caller. */
export interface ServedTools<Signal> {
  name: string;
  /** What a model is told about the server as a whole. */
  instructions: string;
  /** Those that the caller may use, a page at a time. */
  list(cursor: string | null): Promise<{ tools: readonly ServedTool[]; nextCursor: string | null }>;
  /** @throws TOOL_UNKNOWN, INPUT_INVALID, and what the tool throws; the caller is told by an answer that says `isError` */
  call(call: ServedCall<Signal>): Promise<ServedAnswer>;
}
