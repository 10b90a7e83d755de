import { AppError } from '../../domain/errors.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { addUsage, type GenerateRequest, type GenerateResult, jsonOf } from '../../domain/models/generation.ts';
import { textOf, toolCallsOf } from '../../domain/models/message.ts';

/** Says in which way a value breaks a JSON Schema; null when it does not. */
export type SchemaCheck = (schema: JsonObject, value: Json) => string | null;
export type MatchingAnswer = { result: GenerateResult; object?: Json };

/**
 * The answer, and its value where a schema is asked for: one that does not match is told so and asked once more.
 * @throws MODEL_OUTPUT_INVALID when the second one does not match either, or there is no room or will to answer
 */
export async function matchingAnswer(
  provider: string,
  request: GenerateRequest,
  check: SchemaCheck,
  ask: (request: GenerateRequest, purpose: 'answer' | 'repair') => Promise<GenerateResult>,
): Promise<MatchingAnswer> {
  const first = await ask(request, 'answer');
  const { schema } = request;
  // A call of a tool is not the answer yet.
  if (schema === undefined || toolCallsOf(first.content).length > 0) return { result: first };
  const value = valueOf(first, schema, check);
  if (value.problem === null) return { result: first, object: value.object };
  if (first.finishReason === 'content-filter')
    throw new AppError('MODEL_CONTENT_FILTERED', { provider, detail: 'the answer was cut off' });
  const second = await ask(
    {
      ...request,
      messages: [
        ...request.messages,
        { role: 'assistant', content: textOf(first.content) },
        {
          role: 'user',
          content: `That does not match the JSON Schema: ${value.problem}. Answer again with JSON alone that matches it.`,
        },
      ],
    },
    'repair',
  );
  const repaired = valueOf(second, schema, check);
  const usage = addUsage(first.usage, second.usage);
  if (repaired.problem === null) return { result: { ...second, usage }, object: repaired.object };
  throw new AppError('MODEL_OUTPUT_INVALID', {
    provider,
    detail: repaired.problem,
    usage,
    text: textOf(second.content).slice(0, 2_000),
  });
}

type Value = { problem: string } | { problem: null; object: Json };

function valueOf({ content, finishReason }: GenerateResult, schema: JsonObject, check: SchemaCheck): Value {
  const object = jsonOf(textOf(content));
  if (object === undefined) {
    return { problem: finishReason === 'length' ? 'it was cut off by the limit of output tokens' : 'it is not JSON' };
  }
  const problem = check(schema, object);
  return problem === null ? { problem, object } : { problem };
}
