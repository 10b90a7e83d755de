import { Context } from '@temporalio/activity';
import type { TurnInput, TurnOutput } from '../../domain/agents/activities.ts';
import {
  AGENT_DEFAULTS,
  type AgentFinish,
  type AgentLimits,
  NOTHING_SPENT,
  type Offer,
  type Spent,
} from '../../domain/agents/agent.ts';
import { mailMessages, resultMessage, spentByCalls } from '../../domain/agents/conversation.ts';
import { AppError } from '../../domain/errors.ts';
import type { Completion } from '../../domain/models/activities.ts';
import { estimateTokens } from '../../domain/models/estimate-tokens.ts';
import { type GenerateRequest, NO_TOKENS } from '../../domain/models/generation.ts';
import type { AssistantPart, Message } from '../../domain/models/message.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';
import { askedModels, askModels, type CompleteDependencies } from '../models/complete.ts';
import { offered, requestOptions } from '../models/completion-request.ts';
import { callsOf } from './calls-of.ts';

const LAST_TURN =
  'This is your last turn, and no tool can be called any more. Answer now with what you know, and say what is missing.';
const NOT_CALLED = 'It was not called: a limit of the agent is reached.';

/** What stands when a turn begins. */
type Begun = {
  /** The conversation with what has come in. */
  messages: Message[];
  added: Message[];
  spent: Spent;
  startedAt: number;
  limits: AgentLimits;
  offers: Offer[];
};

export function turn(dependencies: CompleteDependencies) {
  return (input: TurnInput): Promise<TurnOutput> =>
    heartbeatWhile(async (signal) => {
      const { info } = Context.current();
      // The same for every attempt of a turn, so that one that is tried again comes to the same.
      const now = info.scheduledTimestampMs;
      const begun = beginTurn(input, now);
      const early = stopBefore(begun, now);
      if (early !== null) return silentTurn(begun, early);
      assertPriced(dependencies, input, begun.limits);
      const late = deadlineOf(begun);
      const question = { choice: input, request: turnRequest(input, begun), stream: input.stream };
      try {
        const completion = await askModels(dependencies, question, late ? AbortSignal.any([signal, late]) : signal);
        return answeredTurn(dependencies, input, begun, completion);
      } catch (error) {
        if (signal.aborted || !late?.aborted) throw error;
        return silentTurn(begun, 'time');
      }
    });
}

function beginTurn(input: TurnInput, now: number): Begun {
  const { messages, results = [], mail = [], kinds = [], limits = {}, tools = [], discovered = [] } = input;
  const told = resultMessage(results, kinds, limits.resultCharacters ?? AGENT_DEFAULTS.resultCharacters);
  const added = [...(told === null ? [] : [told]), ...mailMessages(mail)];
  return {
    messages: [...messages, ...added],
    added,
    spent: spentByCalls(input.spent ?? NOTHING_SPENT, results, kinds),
    startedAt: input.startedAt || now,
    limits,
    offers: [...tools, ...discovered],
  };
}

/** Nobody waits for an answer, or there may be none any more. */
function stopBefore({ messages, spent, startedAt, limits }: Begun, now: number): AgentFinish | null {
  if (messages.length === 0 || messages.at(-1)?.role === 'assistant') return 'done';
  return stopFor(spent, limits, now - startedAt);
}

function stopFor(spent: Spent, { microUsd, ms }: AgentLimits, tookMs: number): AgentFinish | null {
  if (microUsd !== undefined && spent.costMicroUsd >= microUsd) return 'money';
  return ms !== undefined && tookMs >= ms ? 'time' : null;
}

/** @throws AGENT_COST_UNKNOWN */
function assertPriced(dependencies: CompleteDependencies, input: TurnInput, { microUsd }: AgentLimits): void {
  if (microUsd === undefined) return;
  for (const { provider, model } of askedModels(dependencies, input)) {
    if (dependencies.prices.costMicroUsd({ provider, model, usage: NO_TOKENS }, new Date()) === null) {
      throw new AppError('AGENT_COST_UNKNOWN', { microUsd, provider, model });
    }
  }
}

function deadlineOf({ startedAt, limits: { ms } }: Begun): AbortSignal | null {
  return ms === undefined ? null : AbortSignal.timeout(Math.max(0, startedAt + ms - Date.now()));
}

/** Whether the model is made to answer: no further turn would tell it of a result. */
const isConcluding = ({ isLast, onLimit }: TurnInput, { offers }: Begun): boolean =>
  isLast === true && onLimit !== 'fail' && offers.length > 0;

function turnRequest(input: TurnInput, begun: Begun): Omit<GenerateRequest, 'model'> {
  const { messages, offers } = begun;
  const system = (input.system ?? '') || (input.instructions ?? '');
  const concluding = isConcluding(input, begun);
  const tools = offers.map(({ name, description, parameters }) => ({
    name,
    parameters,
    ...(description === '' ? {} : { description }),
  }));
  return {
    messages: [
      ...(system === '' ? [] : [{ role: 'system' as const, content: system }]),
      ...messages,
      ...(concluding ? [{ role: 'user' as const, content: LAST_TURN }] : []),
    ],
    ...offered(tools),
    ...requestOptions(input),
    ...(concluding ? { toolChoice: 'none' as const } : {}),
  };
}

function silentTurn({ added, messages, spent, startedAt }: Begun, stop: AgentFinish): TurnOutput {
  return {
    added,
    text: '',
    object: null,
    calls: [],
    stop,
    spent,
    startedAt,
    tokens: estimateTokens(JSON.stringify(messages)),
    provider: null,
    model: null,
    finishReason: null,
    usage: null,
    costMicroUsd: null,
  };
}

function answeredTurn(
  { checkSchema }: CompleteDependencies,
  input: TurnInput,
  begun: Begun,
  completion: Completion,
): TurnOutput {
  const { text, object = null, toolCalls = [], usage, costMicroUsd, provider, model, finishReason } = completion;
  const { limits, offers, startedAt } = begun;
  const spent = spentBy(begun.spent, completion);
  const limit = stopFor(spent, limits, Date.now() - startedAt) ?? (input.isLast === true ? 'turns' : null);
  const asked = toolCalls.length > 0;
  const wasMade = isConcluding(input, begun) && (input.results?.length ?? 0) > 0;
  const stop = asked ? limit : input.isLast === true ? (wasMade ? 'turns' : 'done') : null;
  const most = limits.callsPerTurn ?? AGENT_DEFAULTS.callsPerTurn;
  const added = [
    ...begun.added,
    { role: 'assistant' as const, content: partsOf(completion) },
    ...(asked && limit !== null ? [notCalled(completion)] : []),
  ];
  return {
    ...{ added, text, object, spent, startedAt, usage, costMicroUsd, provider, model, finishReason },
    calls: limit === null ? callsOf(toolCalls, offers, most, checkSchema) : [],
    stop: stop ?? '',
    tokens: usage
      ? usage.inputTokens + usage.outputTokens
      : estimateTokens(JSON.stringify([...begun.messages, ...added])),
  };
}

function spentBy(spent: Spent, { usage, costMicroUsd, toolCalls = [] }: Completion): Spent {
  return {
    turns: spent.turns + 1,
    calls: spent.calls + toolCalls.length,
    inputTokens: spent.inputTokens + (usage?.inputTokens ?? 0),
    outputTokens: spent.outputTokens + (usage?.outputTokens ?? 0),
    cacheReadTokens: spent.cacheReadTokens + (usage?.cacheReadTokens ?? 0),
    costMicroUsd: spent.costMicroUsd + (costMicroUsd ?? 0),
  };
}

function partsOf({ text, reasoning = [], toolCalls = [] }: Completion): string | AssistantPart[] {
  if (reasoning.length === 0 && toolCalls.length === 0) return text;
  return [...reasoning, ...(text === '' ? [] : [{ type: 'text' as const, text }]), ...toolCalls];
}

/** A conversation in which a call has no result is refused by vendors. */
function notCalled({ toolCalls = [] }: Completion): Message {
  return {
    role: 'tool',
    content: toolCalls.map(({ id, name }) => ({
      type: 'tool-result',
      id,
      name,
      output: NOT_CALLED,
      isError: true,
    })),
  };
}
