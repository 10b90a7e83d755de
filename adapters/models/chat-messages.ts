import type OpenAI from 'openai';
import {
  assistantParts,
  type Message,
  textOf,
  type ToolDefinition,
  toolCallsOf,
  type UserPart,
} from '../../domain/models/message.ts';
import type { GenerateRequest } from '../../domain/models/generation.ts';
import { dataUrl, inlineOf } from './media.ts';
import { unsupported } from './model-error.ts';
import { withSource } from './source-in-prompt.ts';

type ChatMessage = OpenAI.ChatCompletionMessageParam;

/** Our conversation as chat completions want it. */
export function chatMessages(provider: string, request: GenerateRequest): ChatMessage[] {
  return withSource(request).flatMap((message) => chatMessage(provider, message));
}

function chatMessage(provider: string, message: Message): ChatMessage[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'system', content: message.content }];
    case 'user': {
      const { content } = message;
      if (typeof content === 'string') return [{ role: 'user', content }];
      return [{ role: 'user', content: content.map((part) => chatPart(provider, part)) }];
    }
    case 'assistant': {
      const parts = assistantParts(message.content);
      const calls = toolCallsOf(parts).map(({ id, name, input }) => ({
        id,
        type: 'function' as const,
        function: { name, arguments: JSON.stringify(input) },
      }));
      const text = textOf(parts);
      return [
        {
          role: 'assistant',
          content: text === '' && calls.length > 0 ? null : text,
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
      ];
    }
    case 'tool':
      return message.content.map(({ id, output }) => ({ role: 'tool', tool_call_id: id, content: toolText(output) }));
  }
}

function chatPart(provider: string, part: UserPart): OpenAI.ChatCompletionContentPart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return { type: 'image_url', image_url: { url: dataUrl(part.source) } };
    case 'file': {
      if (inlineOf(part.source) === null) throw unsupported(provider, 'it takes files as bytes, not by address');
      return { type: 'file', file: { file_data: dataUrl(part.source), filename: part.name ?? 'file' } };
    }
  }
}

export const chatTools = (tools: readonly ToolDefinition[]): OpenAI.ChatCompletionTool[] =>
  tools.map(({ name, description, parameters }) => ({
    type: 'function',
    function: { name, parameters, ...(description === undefined ? {} : { description }) },
  }));

/** What a tool gave, as models read it. */
export const toolText = (output: unknown): string =>
  typeof output === 'string' ? output : JSON.stringify(output ?? null);
