import type { JsonObject } from '../json.ts';
import type { AgentTool, Offer } from './agent.ts';

const PROMPT_ALONE: JsonObject = {
  type: 'object',
  required: ['prompt'],
  properties: { prompt: { type: 'string', description: 'What to do, with all that has to be known for it.' } },
};

/** What a model may be told to call: letters, digits, `_` and `-`, up to 64. */
export const callName = (name: string): string => name.replaceAll(/[^A-Za-z0-9_-]+/g, '_').slice(0, 64);

/** How the model is told of a tool that is no MCP server's. */
export function offerOf(tool: Exclude<AgentTool, { mcp: unknown }>, rule: number): Offer {
  const { name, description, parameters } = tool;
  return {
    name: callName(name ?? ownName(tool)),
    description: description ?? '',
    parameters: parameters ?? ('agent' in tool ? PROMPT_ALONE : { type: 'object' }),
    rule,
  };
}

function ownName(tool: Exclude<AgentTool, { mcp: unknown }>): string {
  if ('workflow' in tool) return tool.workflow;
  return 'node' in tool ? tool.node.type : 'agent';
}
