import { userParts } from './message.ts';
import type { GenerateRequest } from './generation.ts';

export type ModelCapabilities = {
  /** Writes text of its own. */
  generate: boolean;
  /** Condenses a given `source` alone. */
  extract: boolean;
  stream: boolean;
  tools: boolean;
  images: boolean;
  files: boolean;
  /** `native`: the provider holds to a JSON Schema; `prompt`: it is asked to, and checked; `none`: it cannot. */
  schema: 'native' | 'prompt' | 'none';
  reasoning: boolean;
  caching: boolean;
  embed: boolean;
  /** Null where nobody has said. */
  contextTokens: number | null;
};

export const NO_CAPABILITIES: ModelCapabilities = {
  generate: false,
  extract: false,
  stream: false,
  tools: false,
  images: false,
  files: false,
  schema: 'none',
  reasoning: false,
  caching: false,
  embed: false,
  contextTokens: null,
};

/** What a request asks for that a model cannot give; empty when it may be asked. */
export function missingCapabilities(
  can: ModelCapabilities,
  request: Pick<GenerateRequest, 'messages' | 'tools' | 'schema' | 'source'>,
): string[] {
  const parts = request.messages.flatMap(({ role, content }) => (role === 'user' ? userParts(content) : []));
  const wanted: [string, boolean][] = [
    ['text of its own', !can.generate && !(can.extract && request.source !== undefined)],
    ['tools', (request.tools?.length ?? 0) > 0 && !can.tools],
    ['images', parts.some(({ type }) => type === 'image') && !can.images],
    ['files', parts.some(({ type }) => type === 'file') && !can.files],
    ['structured output', request.schema !== undefined && can.schema === 'none'],
  ];
  return wanted.flatMap(([name, isMissing]) => (isMissing ? [name] : []));
}
