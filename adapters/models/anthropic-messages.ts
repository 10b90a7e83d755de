import type Anthropic from '@anthropic-ai/sdk';
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

type Block = Anthropic.ContentBlockParam;
const BREAKPOINT = { cache_control: { type: 'ephemeral' } } as const;

/**
 * What stays the same comes first (tools, system, earlier turns), each with a breakpoint behind it. The last turn gets one only in
 * a conversation that goes on, for writing to the cache costs more than reading a prompt once.
 */
export function anthropicParts(provider: string, request: GenerateRequest) {
  const { tools = [], cache = true } = request;
  const messages = withSource(request);
  const system = messages.flatMap(({ role, content }) =>
    role === 'system' ? [{ type: 'text' as const, text: content }] : [],
  );
  const turns = messages.flatMap((message) => turnOf(provider, message));
  const goesOn = messages.some(({ role }) => role === 'assistant');
  const marked = (on: boolean) => (cache && on ? BREAKPOINT : {});
  return {
    messages: turns.map((turn, index) => (goesOn && cache && index === turns.length - 1 ? withBreakpoint(turn) : turn)),
    ...(system.length === 0
      ? {}
      : { system: system.map((block, index) => ({ ...block, ...marked(index === system.length - 1) })) }),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }, index) => ({
            name,
            input_schema: parameters as Anthropic.Tool.InputSchema,
            ...(description === undefined ? {} : { description }),
            ...marked(index === tools.length - 1),
          })),
        }),
  };
}

function withBreakpoint(turn: Anthropic.MessageParam): Anthropic.MessageParam {
  const blocks: Block[] = typeof turn.content === 'string' ? [{ type: 'text', text: turn.content }] : turn.content;
  const last = blocks.at(-1);
  if (last === undefined || last.type === 'thinking' || last.type === 'redacted_thinking') return turn;
  return { ...turn, content: [...blocks.slice(0, -1), { ...last, ...BREAKPOINT }] } as Anthropic.MessageParam;
}

function turnOf(provider: string, message: Message): Anthropic.MessageParam[] {
  switch (message.role) {
    case 'system':
      return [];
    case 'user':
      return [{ role: 'user', content: userParts(message.content).map((part) => userBlock(provider, part)) }];
    case 'assistant':
      return [{ role: 'assistant', content: assistantParts(message.content).flatMap(assistantBlock) }];
    case 'tool': {
      const results = message.content.map(({ id, output, isError }) => ({
        type: 'tool_result' as const,
        tool_use_id: id,
        content: toolText(output),
        ...(isError ? { is_error: true } : {}),
      }));
      return [{ role: 'user', content: results }];
    }
  }
}

function assistantBlock(part: AssistantPart): Block[] {
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'tool-call':
      return [{ type: 'tool_use', id: part.id, name: part.name, input: part.input }];
    case 'reasoning': {
      const signature = unsealFor('anthropic', part.opaque);
      if (signature !== null) return [{ type: 'thinking', thinking: part.text, signature }];
      const data = unsealFor('anthropic-redacted', part.opaque);
      return data === null ? [] : [{ type: 'redacted_thinking', data }];
    }
  }
}

function userBlock(provider: string, part: UserPart): Block {
  if (part.type === 'text') return { type: 'text', text: part.text };
  const inline = inlineOf(part.source);
  const url = 'url' in part.source ? part.source.url : '';
  if (part.type === 'image') {
    if (inline === null) return { type: 'image', source: { type: 'url', url } };
    const media_type = inline.mediaType as Anthropic.Base64ImageSource['media_type'];
    return { type: 'image', source: { type: 'base64', media_type, data: inline.data } };
  }
  const title = part.name === undefined ? {} : { title: part.name };
  if (inline === null) return { type: 'document', source: { type: 'url', url }, ...title };
  if (inline.mediaType === 'application/pdf') {
    return { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: inline.data }, ...title };
  }
  if (inline.mediaType.startsWith('text/')) {
    const data = Buffer.from(inline.data, 'base64').toString('utf8');
    return { type: 'document', source: { type: 'text', media_type: 'text/plain', data }, ...title };
  }
  throw unsupported(provider, `it reads PDF and text, not ${inline.mediaType}`);
}
