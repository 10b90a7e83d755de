import { type BedrockRuntimeClient, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { addUsage, type EmbedRequest, type EmbedResult, NO_TOKENS } from '../../domain/models/generation.ts';
import { unavailable, unsupported } from './model-error.ts';

type TitanAnswer = { embedding?: number[]; inputTextTokenCount?: number };
type CohereAnswer = { embeddings?: number[][] | { float?: number[][] } };

/** Titan takes one text a call, Cohere's models take many. */
export async function embedByBedrock(
  client: BedrockRuntimeClient,
  { model, texts, dimensions }: EmbedRequest,
  signal: AbortSignal,
): Promise<EmbedResult> {
  const invoke = async (body: object): Promise<unknown> => {
    const command = new InvokeModelCommand({
      modelId: model,
      contentType: 'application/json',
      body: JSON.stringify(body),
    });
    const answer = await client.send(command, { abortSignal: signal });
    return JSON.parse(answer.body.transformToString());
  };
  if (/cohere\.embed/.test(model)) {
    const { embeddings } = (await invoke({ texts, input_type: 'search_document' })) as CohereAnswer;
    const vectors = Array.isArray(embeddings) ? embeddings : embeddings?.float;
    if (vectors?.length !== texts.length) throw unavailable('bedrock', 'the answer has no embedding for each text');
    return { embeddings: vectors, model, usage: null };
  }
  if (!/titan-embed/.test(model)) throw unsupported('bedrock', `${model} makes no embeddings`);
  const result: EmbedResult = { embeddings: [], model, usage: null };
  for (const inputText of texts) {
    const answer = (await invoke({ inputText, ...(dimensions === undefined ? {} : { dimensions }) })) as TitanAnswer;
    if (!answer.embedding) throw unavailable('bedrock', 'the answer has no embedding');
    result.embeddings.push(answer.embedding);
    result.usage = addUsage(result.usage, { ...NO_TOKENS, inputTokens: answer.inputTextTokenCount ?? 0 });
  }
  return result;
}
