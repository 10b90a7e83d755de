import { AppError } from '../../domain/errors.ts';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import type { CompletionInput } from '../../domain/models/activities.ts';
import type { GenerateRequest } from '../../domain/models/generation.ts';
import type { Message, ToolDefinition, UserPart } from '../../domain/models/message.ts';
import { filePart, imagePart } from '../../domain/models/model-chain.ts';
import { renderTemplate } from '../../domain/runs/template.ts';

const ROLES: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant', 'tool']);
const COPIED = [
  'source',
  'toolChoice',
  'schema',
  'maxOutputTokens',
  'temperature',
  'topP',
  'seed',
  'stop',
  'reasoning',
  'cache',
] as const;

/** All that a node asks, whichever model answers. Tools stand in the order of their names, so that prompt caches find them again. */
export function completionRequest(input: CompletionInput): Omit<GenerateRequest, 'model'> {
  const { prompt, system, values = {}, messages = [], images = [], files = [], tools = [] } = input;
  checkMessages(messages);
  const text = render(prompt, values);
  const media: UserPart[] = [...images.map(imagePart), ...files.map(filePart)];
  return {
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: render(system, values) }]),
      ...messages,
      { role: 'user', content: media.length === 0 ? text : [...media, { type: 'text', text }] },
    ],
    ...offered(tools),
    ...requestOptions(input),
  };
}

export const offered = (tools: readonly ToolDefinition[]): Pick<GenerateRequest, 'tools'> =>
  tools.length === 0 ? {} : { tools: tools.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };

/** What a request takes over as it stands. */
export function requestOptions(input: Pick<CompletionInput, (typeof COPIED)[number]>): Partial<GenerateRequest> {
  return Object.fromEntries(COPIED.flatMap((name) => (input[name] === undefined ? [] : [[name, input[name]]])));
}

/** Compiling costs more than all else that is done here, and many prompts are plain text. */
const render = (template: string, values: JsonObject): string =>
  template.includes('{{') ? renderTemplate(template, values) : template;

/** They come from an expression, so nobody has looked at them. */
function checkMessages(messages: readonly Message[]): void {
  const wrong = Array.isArray(messages)
    ? messages.findIndex((one: unknown) => !isJsonObject(one) || !ROLES.has(one['role']) || !isContent(one['content']))
    : 0;
  if (wrong < 0) return;
  const detail = `messages[${wrong}] must be {role, content}, the role one of ${[...ROLES].join(', ')}`;
  throw new AppError('CONFIG_INVALID', { detail });
}

const isContent = (content: unknown): boolean =>
  typeof content === 'string' ||
  (Array.isArray(content) && content.every((part) => isJsonObject(part) && typeof part['type'] === 'string'));
