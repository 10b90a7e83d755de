import { type Message, userParts } from '../../domain/models/message.ts';
import type { GenerateRequest } from '../../domain/models/generation.ts';

/** The conversation with `source` set apart in the last message of the user, for models that write. */
export function withSource({ messages, source }: Pick<GenerateRequest, 'messages' | 'source'>): Message[] {
  if (source === undefined) return messages;
  const text = `<source>\n${source}\n</source>`;
  const index = messages.findLastIndex(({ role }) => role === 'user');
  const last = messages[index];
  if (last?.role !== 'user') return [...messages, { role: 'user', content: text }];
  const { content } = last;
  const joined: Message =
    typeof content === 'string'
      ? { role: 'user', content: `${content}\n\n${text}` }
      : { role: 'user', content: [...userParts(content), { type: 'text', text }] };
  return messages.with(index, joined);
}
