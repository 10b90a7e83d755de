import type { ModelCall } from './call-guard.ts';
import type { GenerateRequest, TokenUsage } from './generation.ts';
import { NO_TOKENS } from './generation.ts';
import { type Message, userParts } from './message.ts';

/** Few texts have more tokens than a third of their bytes. */
const BYTES_PER_TOKEN = 3;
const IMAGE_TOKENS = 2_000;
/** Of a document in base64. */
const FILE_CHARACTERS_PER_TOKEN = 24;
const TURN_TOKENS = 8;

/** What a call may use at most, as far as that can be said beforehand: it is counted so until it has been answered. */
export function reservedUsage(call: ModelCall, maxOutputTokens: number): TokenUsage {
  if (call.kind === 'embed') return { ...NO_TOKENS, inputTokens: sum(call.request.texts, textTokens) };
  const { request } = call;
  return {
    ...NO_TOKENS,
    inputTokens: inputTokens(request),
    outputTokens: request.maxOutputTokens ?? maxOutputTokens,
  };
}

function inputTokens({ messages, source = '', tools = [], schema }: GenerateRequest): number {
  const extras = source + (tools.length > 0 ? JSON.stringify(tools) : '') + (schema ? JSON.stringify(schema) : '');
  return sum(messages, messageTokens) + textTokens(extras);
}

function messageTokens(message: Message): number {
  if (message.role !== 'user') {
    const { content } = message;
    return TURN_TOKENS + textTokens(typeof content === 'string' ? content : JSON.stringify(content));
  }
  return (
    TURN_TOKENS +
    sum(userParts(message.content), (part) => {
      if (part.type === 'text') return textTokens(part.text);
      if (part.type === 'image' || !('data' in part.source)) return IMAGE_TOKENS;
      return IMAGE_TOKENS + Math.ceil(part.source.data.length / FILE_CHARACTERS_PER_TOKEN);
    })
  );
}

const textTokens = (text: string): number => Math.ceil(bytesOf(text) / BYTES_PER_TOKEN);

/** In UTF-8. */
function bytesOf(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

const sum = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
