import type OpenAI from 'openai';
import { assistantParts, type AssistantPart, type Message, type UserPart } from '../../domain/models/message.ts';
import type { GenerateRequest } from '../../domain/models/generation.ts';
import { toolText } from './chat-messages.ts';
import { dataUrl, inlineOf } from './media.ts';
import { unsealFor } from './opaque.ts';
import { withSource } from './source-in-prompt.ts';

type Item = OpenAI.Responses.ResponseInputItem;
/** Whose thoughts they are. */
export const THOUGHTS = 'openai-responses';

/** Our conversation as the Responses API wants it. */
export function responsesInput(request: GenerateRequest): Item[] {
  return withSource(request).flatMap(itemsOf);
}

function itemsOf(message: Message): Item[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'system', content: message.content }];
    case 'user': {
      const { content } = message;
      return [{ role: 'user', content: typeof content === 'string' ? content : content.map(inputPart) }];
    }
    case 'assistant':
      return assistantParts(message.content).flatMap(assistantItem);
    case 'tool':
      return message.content.map(({ id, output }) => ({
        type: 'function_call_output',
        call_id: id,
        output: toolText(output),
      }));
  }
}

function assistantItem(part: AssistantPart): Item[] {
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [{ role: 'assistant', content: part.text }];
    case 'tool-call':
      return [{ type: 'function_call', call_id: part.id, name: part.name, arguments: JSON.stringify(part.input) }];
    case 'reasoning': {
      const sealed = unsealFor(THOUGHTS, part.opaque);
      if (sealed === null) return [];
      const { id, secret } = JSON.parse(sealed) as { id: string; secret: string };
      const summary = part.text === '' ? [] : [{ type: 'summary_text' as const, text: part.text }];
      return [{ type: 'reasoning', id, summary, encrypted_content: secret }];
    }
  }
}

function inputPart(part: UserPart): OpenAI.Responses.ResponseInputContent {
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part.text };
    case 'image':
      return { type: 'input_image', image_url: dataUrl(part.source), detail: 'auto' };
    case 'file':
      return inlineOf(part.source) === null
        ? { type: 'input_file', file_url: dataUrl(part.source) }
        : { type: 'input_file', file_data: dataUrl(part.source), filename: part.name ?? 'file' };
  }
}
