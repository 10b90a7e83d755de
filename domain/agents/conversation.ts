import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { Message, ToolResultPart } from '../models/message.ts';
import type { CallResult, Spent, ToolKind } from './agent.ts';

/** What the model is told of the calls that it asked for; null where there were none. */
export function resultMessage(
  results: readonly CallResult[],
  kinds: readonly ToolKind[],
  characters: number,
): Message | null {
  if (results.length === 0) return null;
  return { role: 'tool', content: results.map((result) => resultPart(result, kinds[result.rule], characters)) };
}

function resultPart({ id, name, outcome }: CallResult, kind: ToolKind | undefined, characters: number): ToolResultPart {
  const { output, isError } = readOutcome(outcome, kind);
  return { type: 'tool-result', id, name, output: clipped(output, characters), ...(isError ? { isError } : {}) };
}

type Reading = { output: Json; isError: boolean };
const error = (output: Json): Reading => ({ output, isError: true });

/** By the node that ended the call. */
function readOutcome(outcome: JsonObject, kind: ToolKind | undefined): Reading {
  const [by, given] = Object.entries(outcome)[0] ?? ['', null];
  if (by === 'refused') return error(String(given));
  if (by === 'excused') return error(isJsonObject(given) ? (given['error'] ?? null) : given);
  const answer = isJsonObject(given) ? given : {};
  if (by === 'settle') {
    const { decision, comment = null, data = null } = answer;
    if (decision === 'APPROVED') return { output: { tookEffect: true, comment, data }, isError: false };
    return error({ tookEffect: false, comment });
  }
  if (by.startsWith('ask')) {
    if (answer['decision'] !== 'REJECTED') return error('Nobody has answered whether this may be called.');
    return error(`A person has refused this call${commentOf(answer)}`);
  }
  return kind === undefined ? { output: given, isError: false } : readResult(given, kind);
}

const commentOf = ({ comment }: JsonObject): string => (typeof comment === 'string' ? `: ${comment}` : '.');

function readResult(given: Json, kind: ToolKind): Reading {
  if (!isJsonObject(given)) return { output: given, isError: false };
  switch (kind) {
    case 'mcp':
      return { output: given['structured'] ?? given['text'] ?? null, isError: given['isError'] === true };
    case 'agent':
      return { output: given['object'] ?? given['text'] ?? null, isError: false };
    default:
      return { output: given, isError: false };
  }
}

function clipped(output: Json, characters: number): Json {
  const text = typeof output === 'string' ? output : JSON.stringify(output);
  if (text.length <= characters) return output;
  return `${text.slice(0, characters)}\n[${text.length - characters} more characters are left out]`;
}

/** What people have written, oldest first. */
export function mailMessages(mail: readonly { data: Json }[]): Message[] {
  return mail.flatMap(({ data }) => {
    const text = isJsonObject(data) ? data['text'] : data;
    return typeof text === 'string' && text !== '' ? [{ role: 'user' as const, content: text }] : [];
  });
}

/** What sub-agents have used counts for the agent that called them. */
export function spentByCalls(spent: Spent, results: readonly CallResult[], kinds: readonly ToolKind[]): Spent {
  return results
    .filter(({ rule }) => kinds[rule] === 'agent')
    .flatMap(({ outcome }) => Object.values(outcome))
    .flatMap((given) => (isJsonObject(given) && isJsonObject(given['spent']) ? [given['spent']] : []))
    .reduce<Spent>(addSpent, spent);
}

function addSpent(left: Spent, right: JsonObject): Spent {
  const sum = (name: keyof Spent) => left[name] + Number(right[name] ?? 0);
  return {
    // Turns are the agent's own.
    turns: left.turns,
    calls: left.calls,
    inputTokens: sum('inputTokens'),
    outputTokens: sum('outputTokens'),
    cacheReadTokens: sum('cacheReadTokens'),
    costMicroUsd: sum('costMicroUsd'),
  };
}

/** The calls of the last turn have to stay beside their results, so an end never begins with results. */
export function splitForSummary(messages: readonly Message[], keep: number): { old: Message[]; recent: Message[] } {
  let from = Math.max(0, messages.length - Math.max(1, keep));
  while (from > 0 && messages[from]?.role === 'tool') from -= 1;
  return { old: messages.slice(0, from), recent: messages.slice(from) };
}
