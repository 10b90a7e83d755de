import { type ModelCapabilities, NO_CAPABILITIES } from '../../domain/models/capabilities.ts';

const REASONING = /^(o\d|gpt-[5-9])/;

/** By the model's name, as the vendor's pages say; models of later names are taken for what the newest ones can do. */
export function openAiCapabilities(model: string): ModelCapabilities {
  if (/embedding/.test(model)) return { ...NO_CAPABILITIES, embed: true, contextTokens: 8_192 };
  const old = /^gpt-(3\.5|4(-\d{4})?$)/.test(model);
  return {
    generate: true,
    extract: true,
    stream: true,
    tools: true,
    images: !old && !/^o1-mini|^o3-mini/.test(model),
    files: !old,
    schema: old || model.startsWith('gpt-4-turbo') ? 'prompt' : 'native',
    reasoning: REASONING.test(model),
    caching: !old,
    embed: false,
    contextTokens: contextOf(model),
  };
}

function contextOf(model: string): number | null {
  if (model.startsWith('gpt-4.1')) return 1_047_576;
  if (model.startsWith('gpt-5')) return 400_000;
  if (/^o\d/.test(model)) return 200_000;
  if (/^gpt-4(o|-turbo)/.test(model)) return 128_000;
  if (model.startsWith('gpt-4')) return 8_192;
  return model.startsWith('gpt-3.5') ? 16_385 : null;
}
