import type { Json, JsonObject } from '../json.ts';

/** Bytes in base64, or an address that the provider reads. */
export type MediaSource = { data: string; mediaType: string } | { url: string; mediaType?: string };

export type TextPart = { type: 'text'; text: string };
export type ImagePart = { type: 'image'; source: MediaSource };
export type FilePart = { type: 'file'; source: MediaSource; name?: string };
/** Thoughts of a model. `opaque` is what its provider wants back unchanged; it means nothing to anybody else. */
export type ReasoningPart = { type: 'reasoning'; text: string; opaque?: string };
export type ToolCallPart = { type: 'tool-call'; id: string; name: string; input: Json; opaque?: string };
export type ToolResultPart = { type: 'tool-result'; id: string; name: string; output: Json; isError?: boolean };

export type UserPart = TextPart | ImagePart | FilePart;
export type AssistantPart = TextPart | ReasoningPart | ToolCallPart;

/** One turn of a conversation, the same for every provider; it may be kept in the state of a workflow. */
export type Message =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string | UserPart[] }
  | { role: 'assistant'; content: string | AssistantPart[] }
  | { role: 'tool'; content: ToolResultPart[] };

export type ToolDefinition = {
  name: string;
  description?: string;
  /** JSON Schema of its input: an object. */
  parameters: JsonObject;
};
export type ToolChoice = 'auto' | 'none' | 'required' | { name: string };

export const userParts = (content: string | UserPart[]): UserPart[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

export const assistantParts = (content: string | AssistantPart[]): AssistantPart[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

/** What the parts say, without thoughts and calls. */
export const textOf = (parts: readonly (UserPart | AssistantPart)[]): string =>
  parts.map((part) => (part.type === 'text' ? part.text : '')).join('');

export const toolCallsOf = (parts: readonly AssistantPart[]): ToolCallPart[] =>
  parts.filter((part) => part.type === 'tool-call');
