import { isJsonObject, type JsonObject } from '../json.ts';
import type { DefinitionProblem } from '../runs/definition.ts';
import { isNodeType, nodeTypeRow, NODE_TYPES } from '../runs/node-types.ts';
import type { Report } from '../runs/problem-list.ts';
import { schemaProblem } from '../runs/schema-problem.ts';
import { agentDefinition, isChat, toolsOf } from './agent-definition.ts';
import { agentNodesOf, agentWorkflowName } from './agent-children.ts';
import type { AgentTool } from './agent.ts';
import { withPreset } from './presets.ts';
import { offerOf } from './offers.ts';

type Path = readonly (string | number)[];
const INLINE: readonly string[] = ['transform', 'template'];

/** What is wrong with agents besides the shape of their config: with the workflow that is made of it, by `validate`. */
export function validateAgents(
  definition: JsonObject,
  report: Report,
  validate: (definition: unknown) => DefinitionProblem[],
): void {
  for (const { node, index, config } of agentNodesOf(definition)) {
    const id = String(node['id']);
    const path = ['nodes', index, 'config'];
    if (config['prompt'] === undefined && !isChat(config)) {
      report(
        'CONFIG_MISSING',
        [...path, 'prompt'],
        id,
        'agent needs config.prompt: what it is to do',
        'Add it, or set `chat`.',
      );
    }
    if (!isReadable(config)) continue;
    const tools = toolsOf(withPreset(config));
    validateTools(tools, [...path, 'tools'], id, report);
    const name = agentWorkflowName(String(definition['name']), id);
    for (const problem of validate(agentDefinition(name, config))) {
      const rule = /^(?:t|ask)(\d+)$/.exec(problem.nodeId ?? '')?.[1];
      const at = rule === undefined ? path : [...path, 'tools', Number(rule)];
      report(problem.code, at, id, `In the agent: ${problem.message} (${problem.path})`, problem.hint ?? undefined);
    }
  }
}

/** What is not has been reported as of a wrong shape. */
function isReadable(config: JsonObject): boolean {
  const fields = Object.entries(nodeTypeRow('agent').config);
  return fields.every(([name, { kind, schema }]) => {
    const value = config[name];
    return kind !== 'literal' || value === undefined || schemaProblem(schema ?? true, value) === null;
  });
}

function validateTools(tools: readonly AgentTool[], path: Path, id: string, report: Report): void {
  const names = new Set<string>();
  for (const [rule, tool] of tools.entries()) {
    const at = [...path, rule];
    if (tool.approval === 'when' && tool.when === undefined) {
      report(
        'CONFIG_MISSING',
        [...at, 'when'],
        id,
        'approval `when` needs a CEL expression',
        'Such as "item.input.amount > 100".',
      );
    }
    if ('mcp' in tool) continue;
    const { name } = offerOf(tool, rule);
    if (names.has(name)) {
      report('CONFIG_TYPE', [...at, 'name'], id, `Two tools have the name ${name}`, 'Give each a name of its own.');
    }
    names.add(name);
    if ('node' in tool) validateNodeTool(tool.node.type, [...at, 'node', 'type'], id, report);
  }
}

function validateNodeTool(type: string, path: Path, id: string, report: Report): void {
  const isFit = isNodeType(type) && (nodeTypeRow(type).class === 'activity' || INLINE.includes(type));
  if (isFit) return;
  const fit = Object.keys(NODE_TYPES).filter((one) => nodeTypeRow(one as 'http').class === 'activity');
  report(
    'NODE_TYPE_UNKNOWN',
    path,
    id,
    `A tool cannot be a node of type ${type}`,
    `It can be ${[...fit, ...INLINE].join(', ')}.`,
  );
}

export const isAgentDefinition = (definition: unknown): boolean =>
  isJsonObject(definition) && isJsonObject(definition['metadata']) && definition['metadata']['agent'] === true;
