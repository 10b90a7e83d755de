import { Context, type Info } from '@temporalio/activity';
import type { LanguageModels } from '../../adapters/models/language-models.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { Completion, CompletionInput } from '../../domain/models/activities.ts';
import type { CallGuard, CallPlace } from '../../domain/models/call-guard.ts';
import type { GenerateRequest } from '../../domain/models/generation.ts';
import { type Message, textOf, toolCallsOf } from '../../domain/models/message.ts';
import { modelChain } from '../../domain/models/model-chain.ts';
import type { ModelPrices } from '../../domain/models/model-prices.ts';
import type { TokenEvent, TokenPublisher } from '../../domain/models/token-event.ts';
import { parseActivityId } from '../../domain/runs/activity-id.ts';
import { PARKED } from '../../domain/runs/run-error.ts';
import type { EffectLedger } from '../../domain/tools/effect-ledger.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';
import { toFailure } from '../to-failure.ts';
import { withEffect } from '../with-effect.ts';
import { askChain, type Candidate, candidatesOf } from './ask-chain.ts';
import { completionRequest } from './completion-request.ts';
import { giveWay } from './give-way.ts';
import { guardedCall, streamedAnswer } from './guarded-call.ts';
import { openPreview } from './token-preview.ts';
import { matchingAnswer, type SchemaCheck } from './matching-answer.ts';
import type { ModelBreakers } from './model-breakers.ts';

export type CompleteDependencies = {
  models: LanguageModels;
  /** For nodes that name no provider. */
  defaultProvider: string;
  defaultEmbeddingProvider: string;
  effects: EffectLedger;
  breakers: ModelBreakers;
  checkSchema: SchemaCheck;
  guards: readonly CallGuard[];
  prices: ModelPrices;
  /** Null: nobody looks. */
  tokens: TokenPublisher | null;
};

type Asking = {
  candidates: readonly Candidate[];
  request: Omit<GenerateRequest, 'model'>;
  place: CallPlace;
  signal: AbortSignal;
  onToken: ((event: TokenEvent) => void) | null;
};

export function complete(dependencies: CompleteDependencies) {
  return (input: CompletionInput): Promise<Completion> =>
    heartbeatWhile((signal) =>
      askModels(dependencies, { choice: input, request: completionRequest(input), stream: input.stream }, signal),
    );
}

export type Question = {
  /** Whom to ask. */
  choice: Pick<CompletionInput, 'provider' | 'model' | 'models'>;
  request: Omit<GenerateRequest, 'model'>;
  stream?: boolean | undefined;
};

/** The models that a question goes to, in their order. @throws MODEL_UNSUPPORTED */
export function askedModels(
  { models, defaultProvider }: Pick<CompleteDependencies, 'models' | 'defaultProvider'>,
  choice: Question['choice'],
): Candidate[] {
  return candidatesOf(models, modelChain(choice, { provider: defaultProvider, known: new Set(models.keys()) }));
}

/** One answer, guarded, shown as it comes, and kept in the effect ledger unless all who are asked are local. */
export async function askModels(
  dependencies: CompleteDependencies,
  { choice, request, stream }: Question,
  signal: AbortSignal,
): Promise<Completion> {
  const { effects, tokens } = dependencies;
  const candidates = askedModels(dependencies, choice);
  const { info } = Context.current();
  const place = callPlace(info);
  const preview = openPreview(stream === false ? null : tokens, place);
  const asking = { candidates, request, place, signal, onToken: preview.onToken };
  try {
    const completion = candidates.every(({ language }) => language.local)
      ? await answer(dependencies, asking)
      : await withEffect(effects, {
          asked: { chain: candidates.map(({ provider, model }) => ({ provider, model })), ...request },
          request: described(candidates, request),
          onUnknown: 'retry',
          send: (idempotencyKey) => answer(dependencies, { ...asking, request: { ...request, idempotencyKey } }),
        });
    preview.ended(completion);
    return completion;
  } catch (thrown) {
    const error = giveWay(thrown, info);
    const { type, message } = toFailure(error) as { type?: string; message: string };
    if (type !== PARKED) preview.failed(signal.aborted ? 'CANCELLED' : (type ?? 'NODE_FAILED'), message);
    throw error;
  } finally {
    preview.close();
  }
}

async function answer(dependencies: CompleteDependencies, asked: Asking): Promise<Completion> {
  const { models, breakers, checkSchema, guards, prices } = dependencies;
  const { candidates, request, place, signal, onToken } = asked;
  const { info, log } = Context.current();
  let calls = 0;
  const downgrade = (name: string) => {
    const chain = modelChain(
      { models: [name] },
      { provider: dependencies.defaultProvider, known: new Set(models.keys()) },
    );
    return candidatesOf(models, chain)[0] as Candidate;
  };
  const asking = { breakers, signal, downgrade };
  const { result, candidate, skipped } = await askChain(candidates, request, asking, (one, begun) =>
    matchingAnswer(one.provider, { ...request, model: one.model }, checkSchema, (wanted, purpose) => {
      const { language, provider, model } = one;
      const exact = asTheModelCan(language, withOwnKey(wanted, candidates.indexOf(one), purpose));
      if (purpose === 'repair') onToken?.({ type: 'reset', reason: 'repair' });
      const call = {
        id: callId(info, (calls += 1)),
        place,
        provider,
        model,
        purpose,
        kind: 'generate' as const,
        request: withoutKey(exact),
      };
      return guardedCall({ guards, log }, call, signal, (progress) => {
        if (onToken === null || !language.capabilities(model).stream) return language.generate(exact, signal);
        let hasStarted = false;
        const started = (event: TokenEvent) => {
          if (!hasStarted) onToken({ type: 'start', provider, model });
          hasStarted = true;
          begun();
          onToken(event);
        };
        return streamedAnswer(language, exact, { signal, progress, onToken: started });
      });
    }),
  );
  return completionOf(candidate, result, { skipped, prices });
}

/** Where a provider holds to no schema the model is asked to, and the answer is looked at all the same. */
function asTheModelCan(language: Candidate['language'], request: GenerateRequest): GenerateRequest {
  const { schema, ...rest } = request;
  if (schema === undefined || language.capabilities(request.model).schema !== 'prompt') return request;
  const instruction: Message = {
    role: 'system',
    content: `Answer with JSON alone, no other text, that matches this JSON Schema:\n${JSON.stringify(schema)}`,
  };
  const at = rest.messages.findIndex(({ role }) => role !== 'system');
  return { ...rest, messages: rest.messages.toSpliced(at, 0, instruction) };
}

function completionOf(
  { provider }: Candidate,
  { result, object }: Awaited<ReturnType<typeof matchingAnswer>>,
  { skipped, prices }: { skipped: NonNullable<Completion['skipped']>; prices: ModelPrices },
): Completion {
  const calls = toolCallsOf(result.content);
  const reasoning = result.content.filter((part) => part.type === 'reasoning');
  return {
    provider,
    text: textOf(result.content),
    model: result.model,
    finishReason: result.finishReason,
    usage: result.usage,
    costMicroUsd: prices.costMicroUsd({ provider, ...result }, new Date()),
    ...(object === undefined ? {} : { object }),
    ...(calls.length === 0 ? {} : { toolCalls: calls }),
    ...(reasoning.length === 0 ? {} : { reasoning }),
    ...(skipped.length === 0 ? {} : { skipped }),
  };
}

export function callPlace({ workflowExecution, activityId, attempt }: Info): CallPlace {
  const node = parseActivityId(activityId);
  return {
    runId: workflowExecution?.workflowId ?? '',
    nodeId: node?.nodeId ?? activityId,
    iteration: String(node?.iteration ?? '1'),
    attempt,
  };
}

/** Another one after a reset of the run, or after the node has waited: both begin to count attempts anew. */
export const callId = ({ workflowExecution, activityId, scheduledTimestampMs, attempt }: Info, call: number): string =>
  `${workflowExecution?.workflowId ?? ''}/${workflowExecution?.runId ?? ''}/${activityId}/${scheduledTimestampMs}/${attempt}.${call}`;

/** A key is for one request: another model, or the repair of an answer, is asked for something else. */
function withOwnKey(request: GenerateRequest, index: number, purpose: 'answer' | 'repair'): GenerateRequest {
  const { idempotencyKey: key } = request;
  const suffix = `${index === 0 ? '' : index < 0 ? '-cheaper' : `-${index}`}${purpose === 'repair' ? '-repair' : ''}`;
  return key === undefined || suffix === '' ? request : { ...request, idempotencyKey: `${key}${suffix}` };
}

/** The key differs from run to run, what is asked need not. */
function withoutKey({ idempotencyKey, ...request }: GenerateRequest): GenerateRequest {
  return idempotencyKey === undefined ? { ...request } : request;
}

/** What the ledger shows: sizes, no texts. */
function described(candidates: readonly Candidate[], request: Omit<GenerateRequest, 'model'>): JsonObject {
  const [first] = candidates;
  return {
    provider: first?.provider ?? null,
    model: first?.model ?? null,
    ...(candidates.length === 1 ? {} : { chain: candidates.map(({ provider, model }) => `${provider}/${model}`) }),
    maxOutputTokens: request.maxOutputTokens ?? null,
    temperature: request.temperature ?? null,
    characters: JSON.stringify(request.messages).length + (request.source?.length ?? 0),
  };
}
