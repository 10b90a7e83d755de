import type { Json, JsonObject } from '../json.ts';
import type { Message } from '../models/message.ts';
import type { NodeTimeouts, RetryPolicy } from '../runs/definition.ts';

/** Name of the event by which people write to an agent at work. */
export const AGENT_MESSAGE_EVENT = 'agent.message';

export type ApprovalRule = 'never' | 'always' | 'when';

/** What an agent may use: a tool of an MCP server (or all of them), a node, a published workflow, or another agent. */
export type AgentTool = {
  /** As the model calls it; default is the tool's own, the workflow's, or the node type. */
  name?: string;
  description?: string;
  /** JSON Schema of its arguments. */
  parameters?: JsonObject;
  /** Whether a person has to agree before it is called; `when` asks if the CEL expression over `item` (a call) and `input` is true. */
  approval?: ApprovalRule;
  when?: string;
  assignees?: string[];
  /** After it, nobody having answered, the call counts as refused. */
  approvalTimeoutMs?: number;
} & (
  | { mcp: { server: string; tool?: string } }
  | {
      node: { type: string; config?: JsonObject; retry?: RetryPolicy; timeouts?: NodeTimeouts; taskQueue?: string };
    }
  | { workflow: string; version?: number }
  | { agent: JsonObject }
);

export const TOOL_KINDS = ['mcp', 'node', 'workflow', 'agent'] as const;
export type ToolKind = (typeof TOOL_KINDS)[number];

export const kindOf = (tool: AgentTool): ToolKind => TOOL_KINDS.find((kind) => kind in tool) as ToolKind;

export type AgentLimits = {
  /** Model turns, in a chat for each message. */
  turns?: number;
  /** Millionths of a US dollar, of the whole run. */
  microUsd?: number;
  /** From the first turn on, in a chat from each message on. */
  ms?: number;
  /** Tool calls of one turn; those beyond are refused. */
  callsPerTurn?: number;
  /** What a model is shown of one result. */
  resultCharacters?: number;
};

export const AGENT_DEFAULTS = { turns: 20, callsPerTurn: 16, resultCharacters: 20_000, concurrency: 8 } as const;

/** A tool as the model is told of it. `rule` is its place in the agent's list. */
export type Offer = {
  name: string;
  description: string;
  parameters: JsonObject;
  rule: number;
  /** Of an MCP server. */
  server?: string;
  tool?: string;
  readOnly?: boolean;
};

/** A call that the model asks for. */
export type AgentCall = {
  id: string;
  name: string;
  input: Json;
  rule: number;
  server: string | null;
  tool: string | null;
  readOnly: boolean;
  /** Why it is not made. */
  refusal: string | null;
};

/** How a call ended: the node that ended it, and what that gave. */
export type CallResult = { id: string; name: string; rule: number; outcome: JsonObject };

/** What an agent has used so far, its sub-agents included. */
export type Spent = {
  turns: number;
  calls: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  costMicroUsd: number;
};

export const NOTHING_SPENT: Spent = {
  turns: 0,
  calls: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  costMicroUsd: 0,
};

/** Why an agent ended: it was done, or one of its limits was reached. */
export type AgentFinish = 'done' | 'turns' | 'money' | 'time';

/** What the run of an agent is started with. */
export type AgentInput = {
  prompt: string;
  system: string;
  messages: Message[];
  values: Json;
};

/** From the resolved config of an `agent` node. */
export function agentInput(config: JsonObject): JsonObject {
  const { prompt = '', system = '', messages = [], values = {} } = config;
  return { prompt, system, messages, values };
}
