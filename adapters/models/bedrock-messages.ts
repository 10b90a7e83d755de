import type {
  CachePointBlock,
  ContentBlock,
  DocumentFormat,
  ImageFormat,
  Message as BedrockMessage,
  SystemContentBlock,
  ToolConfiguration,
} from '@aws-sdk/client-bedrock-runtime';
import {
  assistantParts,
  type AssistantPart,
  type Message,
  userParts,
  type UserPart,
} from '../../domain/models/message.ts';
import type { GenerateRequest } from '../../domain/models/generation.ts';
import { toolText } from './chat-messages.ts';
import { inlineOf } from './media.ts';
import { unsupported } from './model-error.ts';
import { unsealFor } from './opaque.ts';
import { withSource } from './source-in-prompt.ts';

const CACHE_POINT: { cachePoint: CachePointBlock } = { cachePoint: { type: 'default' } };

/** Our conversation as Converse wants it: turns alternate, and what stays the same ends with a cache point. */
export function bedrockParts(provider: string, request: GenerateRequest, canCache: boolean) {
  const { tools = [], toolChoice, cache = true } = request;
  const messages = withSource(request);
  const points = cache && canCache ? [CACHE_POINT] : [];
  const system = messages.flatMap(({ role, content }) => (role === 'system' ? [{ text: content }] : []));
  const specs = tools.map(({ name, description, parameters }) => ({
    toolSpec: {
      name,
      inputSchema: { json: parameters },
      ...(description === undefined ? {} : { description }),
    },
  }));
  const toolConfig = { tools: [...specs, ...points], ...choiceOf(toolChoice) } as ToolConfiguration;
  return {
    messages: alternating(messages.flatMap((message) => turnOf(provider, message))),
    ...(system.length === 0 ? {} : { system: [...system, ...points] as SystemContentBlock[] }),
    ...(tools.length === 0 || toolChoice === 'none' ? {} : { toolConfig }),
  };
}

function choiceOf(choice: GenerateRequest['toolChoice']): Pick<ToolConfiguration, 'toolChoice'> {
  if (typeof choice === 'object') return { toolChoice: { tool: { name: choice.name } } };
  return choice === 'required' ? { toolChoice: { any: {} } } : {};
}

function alternating(turns: readonly BedrockMessage[]): BedrockMessage[] {
  const merged: BedrockMessage[] = [];
  for (const turn of turns) {
    const last = merged.at(-1);
    if (last !== undefined && last.role === turn.role)
      last.content = [...(last.content ?? []), ...(turn.content ?? [])];
    else merged.push({ ...turn });
  }
  return merged;
}

function turnOf(provider: string, message: Message): BedrockMessage[] {
  switch (message.role) {
    case 'system':
      return [];
    case 'user':
      return [
        { role: 'user', content: userParts(message.content).map((part, index) => userBlock(provider, part, index)) },
      ];
    case 'assistant':
      return [{ role: 'assistant', content: assistantParts(message.content).flatMap(assistantBlock) }];
    case 'tool': {
      const content = message.content.map(({ id, output, isError }) => ({
        toolResult: {
          toolUseId: id,
          content: [{ text: toolText(output) }],
          ...(isError ? { status: 'error' as const } : {}),
        },
      }));
      return [{ role: 'user', content }];
    }
  }
}

function assistantBlock(part: AssistantPart): ContentBlock[] {
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [{ text: part.text }];
    case 'tool-call':
      return [{ toolUse: { toolUseId: part.id, name: part.name, input: part.input } }];
    case 'reasoning': {
      const signature = unsealFor('bedrock', part.opaque);
      if (signature !== null) return [{ reasoningContent: { reasoningText: { text: part.text, signature } } }];
      const redacted = unsealFor('bedrock-redacted', part.opaque);
      return redacted === null ? [] : [{ reasoningContent: { redactedContent: Buffer.from(redacted, 'base64') } }];
    }
  }
}

const DOCUMENTS: { readonly [mediaType: string]: DocumentFormat } = {
  'application/pdf': 'pdf',
  'text/plain': 'txt',
  'text/csv': 'csv',
  'text/html': 'html',
  'text/markdown': 'md',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
};

function userBlock(provider: string, part: UserPart, index: number): ContentBlock {
  if (part.type === 'text') return { text: part.text };
  const inline = inlineOf(part.source);
  if (inline === null) throw unsupported(provider, 'it takes images and files as bytes, not by address');
  const bytes = Buffer.from(inline.data, 'base64');
  if (part.type === 'image') {
    return { image: { format: inline.mediaType.replace('image/', '') as ImageFormat, source: { bytes } } };
  }
  const format = DOCUMENTS[inline.mediaType];
  if (format === undefined) throw unsupported(provider, `it does not read ${inline.mediaType}`);
  // The API allows few characters in names.
  const name = (part.name ?? '')
    .replace(/\.[^.]*$/, '')
    .replace(/[^\w\s()[\]-]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return { document: { format, name: name === '' ? `file ${index}` : name, source: { bytes } } };
}
