import type { FinishReason, GenerateResult, StreamPart, TokenUsage } from '../../domain/models/generation.ts';
import type { AssistantPart, ReasoningPart, TextPart } from '../../domain/models/message.ts';
import type { Json } from '../../domain/json.ts';
import { unavailable } from './model-error.ts';

type OpenCall = { id: string; name: string; json: string; opaque?: string };

/** Puts an answer together from what comes piece by piece; each step gives the parts to hand on. */
export function createAnswerBuilder(provider: string, asked: { model: string }) {
  const content: AssistantPart[] = [];
  const calls = new Map<string | number, OpenCall>();
  let model = asked.model;
  let finish: FinishReason | null = null;
  let usage: TokenUsage | null = null;
  const last = <Type extends AssistantPart['type']>(type: Type) => {
    const part = content.at(-1);
    return part?.type === type ? (part as Extract<AssistantPart, { type: Type }>) : undefined;
  };
  const closeCall = (key: string | number): StreamPart[] => {
    const open = calls.get(key);
    if (open === undefined) return [];
    calls.delete(key);
    const { id, name, json, opaque } = open;
    const input = parsedInput(provider, name, json);
    const call = { type: 'tool-call' as const, id, name, input, ...(opaque === undefined ? {} : { opaque }) };
    content.push(call);
    return [{ type: 'tool-call', call }];
  };
  return {
    served(name: string | null | undefined): void {
      if (name) model = name;
    },
    text(text: string | null | undefined): StreamPart[] {
      if (!text) return [];
      const part = last('text');
      if (part) part.text += text;
      else content.push({ type: 'text', text } satisfies TextPart);
      return [{ type: 'text', text }];
    },
    reasoning(text: string): StreamPart[] {
      const part = last('reasoning');
      if (part && part.opaque === undefined) part.text += text;
      else content.push({ type: 'reasoning', text } satisfies ReasoningPart);
      return text === '' ? [] : [{ type: 'reasoning', text }];
    },
    /** What the provider wants back with the thoughts that came last; thoughts of their own where none came. */
    sealReasoning(opaque: string): void {
      const part = last('reasoning');
      if (part && part.opaque === undefined) part.opaque = opaque;
      else content.push({ type: 'reasoning', text: '', opaque });
    },
    openCall(key: string | number, call: { id: string; name: string; opaque?: string }): void {
      calls.set(key, { ...call, json: '' });
    },
    callInput(key: string | number, json: string): void {
      const open = calls.get(key);
      if (open) open.json += json;
    },
    hasCall: (key: string | number): boolean => calls.has(key),
    closeCall,
    /** A call that came whole. */
    call(call: { id: string; name: string; input: Json; opaque?: string }): StreamPart[] {
      const part = { type: 'tool-call' as const, ...call };
      content.push(part);
      return [{ type: 'tool-call', call: part }];
    },
    finished(reason: FinishReason): void {
      finish = reason;
    },
    used(tokens: TokenUsage): StreamPart[] {
      usage = tokens;
      return [{ type: 'usage', usage: tokens }];
    },
    hasCalls: (): boolean => content.some(({ type }) => type === 'tool-call'),
    /** @throws MODEL_UNAVAILABLE when the stream ended without saying why the model stopped */
    end(): StreamPart[] {
      if (finish === null) throw unavailable(provider, 'the answer broke off');
      const open = [...calls.keys()].flatMap(closeCall);
      return [
        ...open,
        { type: 'end', result: { content, model, finishReason: finish, usage } satisfies GenerateResult },
      ];
    },
  };
}

export type AnswerBuilder = ReturnType<typeof createAnswerBuilder>;

/** Runs an answer that came whole through the same builder. */
export function wholeAnswer(builder: AnswerBuilder): GenerateResult {
  const part = builder.end().at(-1);
  return (part as Extract<StreamPart, { type: 'end' }>).result;
}

export function parsedInput(provider: string, name: string, json: string): Json {
  if (json.trim() === '') return {};
  try {
    return JSON.parse(json) as Json;
  } catch (error) {
    throw unavailable(provider, `the input of the call of tool ${name} is not JSON`, error);
  }
}
