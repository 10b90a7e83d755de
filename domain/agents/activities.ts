import type { Json, JsonObject } from '../json.ts';
import type { CompletionInput } from '../models/activities.ts';
import type { FinishReason, TokenUsage } from '../models/generation.ts';
import type { Message } from '../models/message.ts';
import type { ReceivedEvent } from '../runs/messages.ts';
import type { AgentCall, AgentFinish, AgentLimits, CallResult, Offer, Spent, ToolKind } from './agent.ts';

export type ModelFields = Pick<
  CompletionInput,
  'provider' | 'model' | 'models' | 'maxOutputTokens' | 'temperature' | 'topP' | 'seed' | 'reasoning' | 'cache'
> & { schema?: JsonObject; stream?: boolean };

export type TurnInput = ModelFields & {
  system?: string;
  /** What the agent is where `system` is empty. */
  instructions?: string;
  /** The conversation so far. */
  messages: Message[];
  /** Of the calls that the last turn asked for. */
  results?: CallResult[];
  /** What people have written meanwhile. */
  mail?: Pick<ReceivedEvent, 'id' | 'data'>[];
  spent?: Spent;
  /** When the first turn began, in ms; 0 for that itself. */
  startedAt?: number;
  isLast?: boolean;
  tools?: Offer[];
  discovered?: Offer[];
  /** By rule. */
  kinds?: ToolKind[];
  limits?: AgentLimits;
  onLimit?: 'answer' | 'fail';
};

export type TurnOutput = {
  /** What this turn adds to the conversation. */
  added: Message[];
  text: string;
  object: Json;
  calls: AgentCall[];
  /** Empty while the agent goes on. */
  stop: '' | AgentFinish;
  spent: Spent;
  startedAt: number;
  /** Of the conversation as it is now, as the provider counted or by a rule of thumb. */
  tokens: number;
  provider: string | null;
  model: string | null;
  finishReason: FinishReason | null;
  usage: TokenUsage | null;
  costMicroUsd: number | null;
};

export type DiscoverInput = { servers: { server: string; tool?: string; name?: string; rule: number }[] };
export type DiscoverOutput = { tools: Offer[] };

export type SummarizeInput = ModelFields & {
  messages: Message[];
  spent?: Spent;
  /** The last messages, which stay as they are. */
  keep?: number;
};
export type SummarizeOutput = {
  messages: Message[];
  /** How many the summary stands for. */
  summarized: number;
  spent: Spent;
  usage: TokenUsage | null;
  costMicroUsd: number | null;
};

export interface AgentActivities {
  /**
   * One turn of an agent: what has come in meanwhile goes to the model, which answers or asks for calls. Guarded, recorded and kept in
   * the effect ledger as `model.complete` is.
   * @throws as `model.complete`; AGENT_COST_UNKNOWN where money is limited and the model has no price
   */
  'agent.turn'(input: TurnInput): Promise<TurnOutput>;
  /** What MCP servers offer. @throws NOT_FOUND, TOOL_NOT_ALLOWED, TOOL_CHANGED, TOOL_REFUSED, TOOL_SERVER_UNAVAILABLE */
  'agent.tools'(input: DiscoverInput): Promise<DiscoverOutput>;
  /** The conversation with all but its end put into a summary. @throws as `model.complete` */
  'agent.summarize'(input: SummarizeInput): Promise<SummarizeOutput>;
}
