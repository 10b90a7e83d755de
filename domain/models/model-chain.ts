import type { CompletionInput, MediaInput, ModelChoice } from './activities.ts';
import type { FilePart, ImagePart, MediaSource } from './message.ts';

export type ChainLink = { provider: string; model: string | null };

/** The models of a node in the order in which they are asked. `known` are the providers. */
export function modelChain(
  { provider, model, models = [] }: Pick<CompletionInput, 'provider' | 'model' | 'models'>,
  defaults: { provider: string; known: ReadonlySet<string> },
): ChainLink[] {
  if (models.length > 0) return models.map((choice) => linkOf(choice, defaults));
  return [{ provider: provider ?? defaults.provider, model: model ?? null }];
}

/** `provider/model`, where what stands before the first slash is a provider; else a provider, else a model of the default one. */
function linkOf(choice: ModelChoice, { provider, known }: { provider: string; known: ReadonlySet<string> }): ChainLink {
  if (typeof choice !== 'string') return { provider: choice.provider, model: choice.model ?? null };
  const slash = choice.indexOf('/');
  const head = slash < 0 ? choice : choice.slice(0, slash);
  if (known.has(head)) return { provider: head, model: slash < 0 ? null : choice.slice(slash + 1) };
  return { provider, model: choice };
}

/** An address, or a source whose name is told apart. */
function sourceOf(input: MediaInput): MediaSource {
  if (typeof input === 'string') return { url: input };
  if ('data' in input) return { data: input.data, mediaType: input.mediaType };
  return { url: input.url, ...(input.mediaType === undefined ? {} : { mediaType: input.mediaType }) };
}

export const imagePart = (input: MediaInput): ImagePart => ({ type: 'image', source: sourceOf(input) });

export function filePart(input: MediaInput): FilePart {
  const name = typeof input === 'string' ? undefined : input.name;
  return { type: 'file', source: sourceOf(input), ...(name === undefined ? {} : { name }) };
}
