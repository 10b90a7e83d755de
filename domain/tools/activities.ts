import type { Json, JsonObject } from '../json.ts';
import type { OnUnknown } from './effect.ts';
import type { ToolAnswer, ToolQuestion } from './tool-question.ts';

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type HttpRequestInput = {
  method?: HttpMethod;
  url: string;
  headers?: { [name: string]: string };
  /** Strings go as they are; anything else as JSON. */
  body?: Json;
  /** Whole exchange, redirects included; default 30,000. */
  timeoutMs?: number;
  /** Largest response body; default 1,048,576. */
  maxResponseBytes?: number;
  /** Statuses >= 400 fail the node unless this is false. */
  failOnStatus?: boolean;
  /** What a retry does when an earlier attempt may have taken effect: call again with the same key (default), or fail. */
  onUnknown?: OnUnknown;
};

export type HttpResponse = {
  status: number;
  headers: { [name: string]: string };
  /** Parsed when the content type is JSON; otherwise text. */
  body: Json;
  url: string;
};

export type ToolCallInput = {
  /** As registered. */
  server: string;
  tool: string;
  arguments?: JsonObject;
  /** A result that says `isError` fails the node unless this is false. */
  failOnError?: boolean;
  /** What a retry does when an earlier attempt may have taken effect; default is to fail, unless the tool may be repeated. */
  onUnknown?: OnUnknown;
  /** To what the tool has asked in earlier calls of this execution. */
  answers?: ToolAnswer[];
};

/** The call has not ended: the tool wants to know something first. */
export type InputRequired = { inputRequired: ToolQuestion };

export type ToolResult = {
  /** The text blocks of the content, a line each. */
  text: string;
  /** MCP content blocks. */
  content: Json[];
  /** `structuredContent`; null where the tool gives none. */
  structured: Json;
  isError: boolean;
};

export interface ToolActivities {
  /**
   * One HTTP exchange. Sends `Idempotency-Key` derived from (run, node, iteration) unless the headers name one, so a retry is
   * recognisable; all but GET and HEAD are in the effect ledger, and one whose answer is there is not sent again. Heartbeats every second; cancellation aborts the socket. Private address ranges are refused after resolving,
   * and the connection goes to the very address that was checked; each redirect is checked again.
   * @throws HTTP_ADDRESS_DENIED, HTTP_REQUEST_INVALID, HTTP_RESPONSE_TOO_LARGE, EFFECT_UNKNOWN, HTTP_STATUS (4xx but 408, 425, 429), HTTP_UNAVAILABLE (retried).
   */
  http(input: HttpRequestInput): Promise<HttpResponse>;

  /**
   * One call of a tool of a registered MCP server. The idempotency key of (run, node, iteration) goes along in `_meta`. All but
   * tools that only read are in the effect ledger. Heartbeats every second, with the progress that the server tells of; cancellation is
   * told to the server. A tool that asks something gets its answer from `answers`, else the call ends with the question.
   * @throws NOT_FOUND, TOOL_NOT_ALLOWED, TOOL_CHANGED, TOOL_REFUSED, TOOL_FAILED, TOOL_RESULT_TOO_LARGE, TOOL_SERVER_DENIED,
   * EFFECT_UNKNOWN, TOOL_SERVER_UNAVAILABLE (retried).
   */
  'tool.call'(input: ToolCallInput): Promise<ToolResult | InputRequired>;
}
