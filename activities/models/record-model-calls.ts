import { createHash } from 'node:crypto';
import type { EventRecorder } from '../../domain/events/event-recorder.ts';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import type { CallGuard, CallOutcome, ModelCall } from '../../domain/models/call-guard.ts';
import type { ModelPrices } from '../../domain/models/model-prices.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';

/** Records every call of a model that nodes of runs make, answered or not. */
export function recordModelCalls(events: EventRecorder, prices: ModelPrices): CallGuard {
  return {
    async afterCall(call, outcome) {
      if (call.place !== null) await events.recordOfRun(call.place.runId, modelCalled(call, outcome, prices));
    },
  };
}

export function modelCalled(call: ModelCall, outcome: CallOutcome, prices: ModelPrices): SystemEvent {
  const { place, provider } = call;
  const { status, model, usage, finishReason, durationMs } = outcome;
  const node = place && `${place.nodeId}#${place.iteration}`;
  return {
    type: 'model.called',
    id: place === null ? call.id : `${place.runId}/${node}`,
    eventId: `model.called/${call.id}`,
    occurredAt: new Date(outcome.startedAt.getTime() + durationMs),
    correlationId: place?.runId ?? null,
    causationId: place && `node/${place.runId}/${node}`,
    payload: {
      runId: place?.runId ?? null,
      nodeId: place?.nodeId ?? null,
      iteration: place?.iteration ?? null,
      attempt: place?.attempt ?? null,
      provider,
      model,
      promptHash: createHash('sha256').update(canonicalJson(call.request)).digest('hex'),
      inputTokens: usage?.inputTokens ?? null,
      outputTokens: usage?.outputTokens ?? null,
      cachedInputTokens: usage?.cacheReadTokens ?? null,
      reasoningTokens: usage?.reasoningTokens ?? null,
      costMicroUsd: prices.costMicroUsd({ provider, model, usage }, outcome.startedAt),
      finishReason,
      outcome: status === 'ok' ? 'OK' : 'FAILED',
      error: failureOf(outcome),
      durationMs,
    },
  };
}

function failureOf({ status, error }: CallOutcome): { code: string; message: string } | null {
  if (status === 'ok') return null;
  if (status === 'aborted') return { code: 'CANCELLED', message: 'The call was cancelled' };
  return error ?? { code: 'NODE_FAILED', message: 'The call failed unexpectedly' };
}
