import type { Content, Part } from '@google/genai';
import { isJsonObject } from '../../domain/json.ts';
import {
  assistantParts,
  type AssistantPart,
  type Message,
  userParts,
  type UserPart,
} from '../../domain/models/message.ts';
import type { GenerateRequest } from '../../domain/models/generation.ts';
import { inlineOf } from './media.ts';
import { unsealFor } from './opaque.ts';
import { withSource } from './source-in-prompt.ts';

/** What ids of calls begin with where the service gave none. */
export const OWN_ID = 'weft-call-';

/** Our conversation as Gemini wants it. */
export function geminiContents(request: GenerateRequest): { contents: Content[]; systemInstruction?: string } {
  const messages = withSource(request);
  const system = messages.flatMap(({ role, content }) => (role === 'system' ? [content] : []));
  return {
    contents: messages.flatMap(contentOf),
    ...(system.length === 0 ? {} : { systemInstruction: system.join('\n\n') }),
  };
}

function contentOf(message: Message): Content[] {
  switch (message.role) {
    case 'system':
      return [];
    case 'user':
      return [{ role: 'user', parts: userParts(message.content).map(userPart) }];
    case 'assistant':
      return [{ role: 'model', parts: assistantParts(message.content).flatMap(modelPart) }];
    case 'tool': {
      const parts = message.content.map(({ id, name, output, isError }) => ({
        functionResponse: {
          name,
          ...idOf(id),
          response: isError ? { error: output } : isJsonObject(output) ? output : { output },
        },
      }));
      return [{ role: 'user', parts }];
    }
  }
}

const idOf = (id: string): { id?: string } => (id.startsWith(OWN_ID) ? {} : { id });

function modelPart(part: AssistantPart): Part[] {
  const signature = part.type === 'text' ? null : unsealFor('gemini', part.opaque);
  const signed = signature === null ? {} : { thoughtSignature: signature };
  switch (part.type) {
    case 'text':
      return [{ text: part.text }];
    case 'tool-call':
      return [
        {
          functionCall: { name: part.name, ...idOf(part.id), args: isJsonObject(part.input) ? part.input : {} },
          ...signed,
        },
      ];
    case 'reasoning':
      return signature === null ? [] : [{ text: part.text, thought: true, ...signed }];
  }
}

function userPart(part: UserPart): Part {
  if (part.type === 'text') return { text: part.text };
  const inline = inlineOf(part.source);
  if (inline !== null) return { inlineData: { data: inline.data, mimeType: inline.mediaType } };
  const { url, mediaType } = part.source as { url: string; mediaType?: string };
  return { fileData: { fileUri: url, ...(mediaType === undefined ? {} : { mimeType: mediaType }) } };
}
