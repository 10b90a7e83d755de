import { isJsonObject, type JsonObject } from '../json.ts';
import type { EdgeDefinition, Mapping, NodeDefinition, WorkflowDefinition } from '../runs/definition.ts';
import {
  AGENT_DEFAULTS,
  AGENT_MESSAGE_EVENT,
  type AgentLimits,
  type AgentTool,
  kindOf,
  NOTHING_SPENT,
} from './agent.ts';
import { MODEL_FIELDS } from '../runs/agent-node-types.ts';
import { presetSystem, withPreset } from './presets.ts';
import { callNodes } from './call-nodes.ts';
import { offerOf } from './offers.ts';

export type Part = { nodes: NodeDefinition[]; edges: EdgeDefinition[] };

const LONGEST_CHAT = 100_000;
const DEFAULT_CONTEXT_TOKENS = 100_000;
const DEFAULT_KEEP = 8;
const MAIL_SCHEMA: JsonObject = { type: 'object' };
const NO_SPENDING = Object.fromEntries(Object.keys(NOTHING_SPENT).map((name) => [name, '0']));
const FIRST_MESSAGES = 'input.messages + (input.prompt == "" ? [] : [{"role": "user", "content": input.prompt}])';

export const isChat = (config: JsonObject): boolean => config['chat'] !== undefined && config['chat'] !== false;

/**
 * The workflow that an `agent` node runs: a loop of turns, each of them one activity that asks the model and a map over the calls that
 * it wants made. So all that holds for workflows holds for agents: their durability, approvals, read models, time travel.
 * `instructions` say what it is where whoever starts it does not.
 */
export function agentDefinition(
  name: string,
  given: JsonObject,
  instructions = presetSystem(given),
): WorkflowDefinition {
  const config = withPreset(given);
  const tools = toolsOf(config);
  const discovery = discoveryOf(tools);
  const loop = isChat(config) ? chatPart(config) : soloPart(config);
  const entry = isChat(config) ? 'talk' : 'turns';
  const parts = [discovery, loop, turnPart(config, tools, instructions), callNodes(tools, concurrencyOf(config))];
  return {
    name,
    description: `The agent of ${name}: made of the config of its node.`,
    input: {
      type: 'object',
      required: ['prompt', 'system', 'messages', 'values'],
      properties: {
        prompt: { type: 'string' },
        system: { type: 'string' },
        messages: { type: 'array' },
        values: {},
      },
    },
    nodes: parts.flatMap((part) => part.nodes),
    edges: [
      ...(discovery.nodes.length > 0 ? [{ from: 'tools', to: entry }] : []),
      ...parts.flatMap((part) => part.edges),
    ],
    output: 'nodes.answer.output',
    metadata: { agent: true },
  };
}

export const toolsOf = ({ tools }: JsonObject): AgentTool[] => (Array.isArray(tools) ? (tools as AgentTool[]) : []);
export const limitsOf = ({ limits }: JsonObject): AgentLimits => (isJsonObject(limits) ? limits : {});

const concurrencyOf = ({ concurrency }: JsonObject): number =>
  typeof concurrency === 'number' ? concurrency : AGENT_DEFAULTS.concurrency;

/** Servers are asked once for their tools, so that all turns see the same. */
function discoveryOf(tools: readonly AgentTool[]): Part {
  const servers = tools.flatMap((tool, rule) =>
    'mcp' in tool ? [{ ...tool.mcp, ...(tool.name === undefined ? {} : { name: tool.name }), rule }] : [],
  );
  return {
    nodes: servers.length === 0 ? [] : [{ id: 'tools', type: 'agent.tools', config: { servers } }],
    edges: [],
  };
}

const turnLimit = (config: JsonObject): number => limitsOf(config).turns ?? AGENT_DEFAULTS.turns;

function turnsLoop(config: JsonObject, state: Mapping, parent: string | null): NodeDefinition {
  return {
    id: 'turns',
    type: 'loop',
    ...(parent === null ? {} : { parent }),
    config: {
      maximumIterations: turnLimit(config),
      state,
      next: {
        messages: 'nodes.history.output.messages + nodes.turn.output.added',
        results: 'nodes.calls.output.results',
        mail: 'nodes.mail.output.events',
        spent: 'nodes.turn.output.spent',
        startedAt: 'nodes.turn.output.startedAt',
        tokens: 'nodes.turn.output.tokens',
        text: 'nodes.turn.output.text',
        object: 'nodes.turn.output.object',
        stop: `nodes.turn.output.stop != "" ? nodes.turn.output.stop
          : (size(nodes.turn.output.calls) == 0 && size(nodes.mail.output.events) == 0 ? "done" : "")`,
      },
      until: 'pass.state.stop != ""',
    },
  };
}

const FRESH = { results: '[]', startedAt: '0', text: '""', object: 'null', stop: '""' };
const END = 'nodes.turns.output.state';

function soloPart(config: JsonObject): Part {
  const state = { messages: FIRST_MESSAGES, mail: '[]', spent: NO_SPENDING, tokens: '0', ...FRESH };
  const answer: NodeDefinition = {
    id: 'answer',
    type: 'transform',
    config: {
      value: {
        text: `${END}.text`,
        object: `${END}.object`,
        finish: `${END}.stop`,
        turns: `${END}.spent.turns`,
        costMicroUsd: `${END}.spent.costMicroUsd`,
        spent: `${END}.spent`,
        messages: `${END}.messages`,
      },
    },
  };
  const loop = turnsLoop(config, state, null);
  if (config['onLimit'] !== 'fail') {
    return { nodes: [loop, answer], edges: [{ from: 'turns', port: 'out', to: 'answer' }] };
  }
  const { microUsd = 0, ms = 0 } = limitsOf(config);
  const failures = [
    fail('turns', 'AGENT_TURNS_EXHAUSTED', `The agent wanted to go on after ${turnLimit(config)} turns`),
    fail('money', 'AGENT_MONEY_EXHAUSTED', `The agent has spent the ${microUsd} micro-USD that it may`),
    fail('time', 'AGENT_TIME_EXHAUSTED', `The agent has taken the ${ms} ms that it may`),
  ];
  const ports = ['turns', 'money', 'time'];
  const ended: NodeDefinition = {
    id: 'ended',
    type: 'switch',
    config: { cases: ports.map((port) => ({ port, when: `${END}.stop == "${port}"` })) },
  };
  return {
    nodes: [loop, ended, ...failures, answer],
    edges: [
      { from: 'turns', port: 'out', to: 'ended' },
      ...ports.map((port) => ({ from: 'ended', port, to: `no_${port}` })),
      { from: 'ended', port: 'default', to: 'answer' },
    ],
  };
}

const fail = (limit: string, code: string, message: string): NodeDefinition => ({
  id: `no_${limit}`,
  type: 'fail',
  config: { code, message },
});

/** Turns until the agent has answered, then it listens; a message with `end`, or none for `idleMs`, ends the chat. */
function chatPart(config: JsonObject): Part {
  const chat = isJsonObject(config['chat']) ? config['chat'] : {};
  const { idleMs } = chat;
  const carried = { messages: 'pass.state.messages', mail: 'pass.state.mail', spent: 'pass.state.spent' };
  return {
    nodes: [
      {
        id: 'talk',
        type: 'loop',
        config: {
          maximumIterations: LONGEST_CHAT,
          state: { messages: FIRST_MESSAGES, mail: '[]', spent: NO_SPENDING, tokens: '0', text: '""', over: 'false' },
          next: {
            messages: `${END}.messages`,
            mail: 'nodes.hear.port == "received" ? [nodes.hear.output] : []',
            spent: `${END}.spent`,
            tokens: `${END}.tokens`,
            text: `${END}.text`,
            object: `${END}.object`,
            over: `nodes.hear.port != "received"
              || (has(nodes.hear.output.data.end) && nodes.hear.output.data.end == true)`,
          },
          until: 'pass.state.over',
        },
      },
      turnsLoop(config, { ...carried, tokens: 'pass.state.tokens', ...FRESH }, 'talk'),
      {
        id: 'hear',
        type: 'wait',
        parent: 'talk',
        config: {
          event: AGENT_MESSAGE_EVENT,
          schema: MAIL_SCHEMA,
          ...(typeof idleMs === 'number' ? { timeoutMs: idleMs, onTimeout: 'route' } : {}),
        },
      },
      {
        id: 'answer',
        type: 'transform',
        config: {
          value: {
            text: 'nodes.talk.output.state.text',
            object: 'nodes.talk.output.state.object',
            finish: '"done"',
            turns: 'nodes.talk.output.state.spent.turns',
            costMicroUsd: 'nodes.talk.output.state.spent.costMicroUsd',
            spent: 'nodes.talk.output.state.spent',
            messages: 'nodes.talk.output.state.messages',
          },
        },
      },
    ],
    edges: [
      { from: 'turns', port: 'out', to: 'hear' },
      { from: 'talk', port: 'out', to: 'answer' },
    ],
  };
}

const modelFields = (config: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.keys(MODEL_FIELDS).flatMap((name) => (config[name] === undefined ? [] : [[name, config[name]]])),
  );

/** One turn: a conversation that has grown too long is put into a summary, the model is asked, its calls are made. */
function turnPart(config: JsonObject, tools: readonly AgentTool[], instructions: string): Part {
  const inTurns = (node: Omit<NodeDefinition, 'parent'>): NodeDefinition => ({ ...node, parent: 'turns' });
  const context = isJsonObject(config['context']) ? config['context'] : {};
  const fields = modelFields(config);
  const limits = { ...limitsOf(config) };
  const offers = tools.flatMap((tool, rule) => ('mcp' in tool ? [] : [offerOf(tool, rule)]));
  const state = { messages: 'pass.state.messages', spent: 'pass.state.spent' };
  return {
    nodes: [
      inTurns({
        id: 'long',
        type: 'branch',
        config: { condition: `pass.state.tokens > ${Number(context['maxTokens'] ?? DEFAULT_CONTEXT_TOKENS)}` },
      }),
      inTurns({
        id: 'summary',
        type: 'agent.summarize',
        config: { ...state, keep: context['keep'] ?? DEFAULT_KEEP, ...withoutAnswer(fields) },
      }),
      inTurns({ id: 'same', type: 'transform', config: { value: state } }),
      inTurns({ id: 'history', type: 'merge', config: { mode: 'first' } }),
      inTurns({
        id: 'turn',
        type: 'agent.turn',
        config: {
          system: 'input.system',
          ...(instructions === '' ? {} : { instructions }),
          messages: 'nodes.history.output.messages',
          results: 'pass.state.results',
          mail: 'pass.state.mail',
          spent: 'nodes.history.output.spent',
          startedAt: 'pass.state.startedAt',
          isLast: `pass.index == ${turnLimit(config) - 1}`,
          kinds: tools.map(kindOf),
          ...(offers.length === 0 ? {} : { tools: offers }),
          ...(offers.length === tools.length ? {} : { discovered: 'nodes.tools.output.tools' }),
          limits: limits,
          ...(config['onLimit'] === undefined ? {} : { onLimit: config['onLimit'] }),
          ...fields,
        },
      }),
      inTurns({
        id: 'mail',
        type: 'wait',
        config: { event: AGENT_MESSAGE_EVENT, schema: MAIL_SCHEMA, atOnce: true },
      }),
    ],
    edges: [
      { from: 'long', port: 'true', to: 'summary' },
      { from: 'long', port: 'false', to: 'same' },
      { from: 'summary', to: 'history' },
      { from: 'same', to: 'history' },
      { from: 'history', to: 'turn' },
      { from: 'turn', to: 'calls' },
      { from: 'calls', to: 'mail' },
    ],
  };
}

/** A summary is text, however the agent has to answer. */
const withoutAnswer = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => name !== 'schema' && name !== 'stream'));
