import type { JsonObject } from '../json.ts';

/** Agents for common work; what the config says counts before what its preset does. */
export const AGENT_PRESETS = ['research', 'content-generation', 'analysis'] as const;
export type AgentPreset = (typeof AGENT_PRESETS)[number];

type Preset = { system: string; config: JsonObject };

const FETCH = {
  name: 'fetch_page',
  description: 'Fetches an address of the web and gives its status, headers and text.',
  parameters: { type: 'object', required: ['url'], properties: { url: { type: 'string', format: 'uri' } } },
  node: { type: 'http', config: { url: '{{item.input.url}}' } },
};
const ANALYZE = {
  name: 'analyze_text',
  description:
    'Measures a text by rules: language, keywords, concepts, sentiment, readability, and an extractive summary.',
  parameters: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
  node: { type: 'content.analyze', config: { text: 'item.input.text' } },
};

const PRESETS: Readonly<Record<AgentPreset, Preset>> = {
  research: {
    system: `You are a researcher. Find out what is asked by looking at sources, not from memory alone.
Read several sources where you can, compare them, and say where they differ.
Give a brief answer first, then the findings, each with the address of its source. Say plainly what you could not find out.`,
    config: { temperature: 0.2, limits: { turns: 30 }, tools: [FETCH, ANALYZE] },
  },
  'content-generation': {
    system: `You write for readers. Before you write, settle for whom the text is, what it is for and how long it may be; make an outline.
Then write the whole text, check it for readability with the tool, and improve what is hard to read.
Answer with the finished text alone. Make up no facts, quotations or sources.`,
    config: { temperature: 0.7, limits: { turns: 12 }, tools: [ANALYZE] },
  },
  analysis: {
    system: `You analyse what you are given. Say first what the question is and which data answer it, then work step by step and check every number.
Keep apart what the data say, what follows from them, and what you assume.
End with a conclusion, how sure it is, and what would change it.`,
    config: { temperature: 0, limits: { turns: 15 }, tools: [ANALYZE] },
  },
};

const presetOf = ({ preset }: JsonObject): Preset | null =>
  AGENT_PRESETS.includes(preset as AgentPreset) ? PRESETS[preset as AgentPreset] : null;

/** The config with what its preset adds; the tools of both are offered. */
export function withPreset(config: JsonObject): JsonObject {
  const preset = presetOf(config);
  if (preset === null) return config;
  const own = Array.isArray(config['tools']) ? config['tools'] : [];
  const added = Array.isArray(preset.config['tools']) ? preset.config['tools'] : [];
  const limits = { ...(preset.config['limits'] as JsonObject), ...(config['limits'] as JsonObject | undefined) };
  return { ...preset.config, ...config, limits, tools: [...own, ...added] };
}

/** What an agent is that is not told what it is. */
export const presetSystem = (config: JsonObject): string => presetOf(config)?.system ?? '';
