import { AsyncLocalStorage } from 'node:async_hooks';
import { type Client, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client';
import { AppError } from '../../domain/errors.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import type { ToolAnswer, ToolQuestion } from '../../domain/tools/tool-question.ts';

/** A call under way, with what its tool may be told. */
type AskedCall = { left: ToolAnswer[]; giveUp: (why: AppError) => void };
type Sent<Result> = (signal: AbortSignal) => Promise<Result>;

/**
 * Answers what servers ask in the middle of calls, in both eras. Over HTTP and in the new era the question comes with the call it
 * belongs to; over stdio in the old era only a call that is alone on its connection can be told.
 */
export function answerQuestions(client: Client) {
  const calls = new AsyncLocalStorage<AskedCall>();
  const active = new Set<AskedCall>();
  client.setRequestHandler('elicitation/create', ({ params }) => {
    const [only, ...others] = active;
    const call = calls.getStore() ?? (others.length === 0 ? only : undefined);
    if (call === undefined)
      throw new AppError('INPUT_INVALID', { detail: 'nobody can tell which of several calls asks' });
    const { message, requestedSchema } = params as { message: string; requestedSchema?: Json };
    const question = { message, schema: (requestedSchema ?? {}) as JsonObject };
    const answer = takeAnswer(call, question);
    if (answer)
      return { action: answer.action, ...(answer.content === null ? {} : { content: answer.content as never }) };
    call.giveUp(new AppError('TOOL_INPUT_REQUIRED', { question }));
    throw new ProtocolError(ProtocolErrorCode.InternalError, 'Not answered yet: the call comes again with the answer');
  });
  return {
    /** @throws TOOL_INPUT_REQUIRED, and whatever `send` throws */
    async during<Result>(answers: readonly ToolAnswer[], signal: AbortSignal, send: Sent<Result>): Promise<Result> {
      // AbortSignal.any costs as much as the rest of a call.
      const given = new AbortController();
      const giveUp = () => given.abort(signal.reason);
      const asked = { left: [...answers], giveUp: (why: AppError) => given.abort(why) };
      signal.throwIfAborted();
      signal.addEventListener('abort', giveUp);
      active.add(asked);
      try {
        return await calls.run(asked, () => send(given.signal));
      } catch (error) {
        const why: unknown = given.signal.reason;
        throw why instanceof AppError && !signal.aborted ? why : error;
      } finally {
        active.delete(asked);
        signal.removeEventListener('abort', giveUp);
      }
    },
  };
}

/** A question asked twice takes two answers, in their order. */
function takeAnswer(call: AskedCall, question: ToolQuestion): ToolAnswer | undefined {
  const text = canonicalJson(question);
  const index = call.left.findIndex((answer) => canonicalJson(answer.question) === text);
  return index < 0 ? undefined : call.left.splice(index, 1)[0];
}
