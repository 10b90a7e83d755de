import { Context } from '@temporalio/activity';
import { AppError } from '../../domain/errors.ts';
import type { EventRecorder } from '../../domain/events/event-recorder.ts';
import type { Json } from '../../domain/json.ts';
import { isUndoId, parseActivityId } from '../../domain/runs/activity-id.ts';
import type { InputRequired, ToolCallInput, ToolResult } from '../../domain/tools/activities.ts';
import type { EffectLedger } from '../../domain/tools/effect-ledger.ts';
import { MOST_QUESTIONS, type ToolQuestion } from '../../domain/tools/tool-question.ts';
import type { ToolServers } from '../../domain/tools/tool-servers.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';
import { recordCall, requestHash } from '../record-call.ts';
import { idempotencyKey, withEffect } from '../with-effect.ts';

export type CallToolDependencies = {
  servers: ToolServers<AbortSignal>;
  effects: EffectLedger;
  events: EventRecorder;
};

const DETAIL_CHARACTERS = 500;

export function callTool(dependencies: CallToolDependencies) {
  return (input: ToolCallInput): Promise<ToolResult | InputRequired> =>
    heartbeatWhile(async (signal, note) => {
      const { server, tool, failOnError } = input;
      try {
        const result = await call(dependencies, input, signal, note);
        if (!result.isError || failOnError === false) return result;
        throw new AppError('TOOL_FAILED', { server, tool, detail: result.text.slice(0, DETAIL_CHARACTERS) });
      } catch (error) {
        const question = questionOf(error);
        if (question === null) throw error;
        if ((input.answers ?? []).length < MOST_QUESTIONS) return { inputRequired: question };
        throw new AppError('TOOL_REFUSED', { server, tool, detail: `it asks more than ${MOST_QUESTIONS} questions` });
      }
    });
}

async function call(
  { servers, effects, events }: CallToolDependencies,
  { server: name, tool, arguments: given = {}, onUnknown, answers = [] }: ToolCallInput,
  signal: AbortSignal,
  note: (details: Json) => void,
): Promise<ToolResult> {
  const { info } = Context.current();
  const opened = await servers.open(info.workflowExecution?.workflowId ?? '', name);
  const described = await opened.describe(tool, signal);
  const repeatable = described.idempotent || opened.server.idempotentTools.includes(tool);
  const send = (key: string) =>
    recordCall(events, {
      type: 'tool.called',
      asked: { kind: 'mcp', tool: `${name}/${tool}`, requestHash: requestHash({ name, tool, given }) },
      answered: ({ isError }) => ({ status: isError ? 1 : 0 }),
      send: () => opened.call({ tool, arguments: given, idempotencyKey: key, answers, onProgress: note }, signal),
    });
  if (described.readOnly) return send(idempotencyKey(info));
  return withEffect(effects, {
    asked: { name, tool, given },
    request: { server: name, tool, argumentNames: Object.keys(given) },
    onUnknown: onUnknown ?? (repeatable ? 'retry' : 'fail'),
    send,
  });
}

/** What undoes has nobody who waits for an answer. */
function questionOf(error: unknown): ToolQuestion | null {
  if (!(error instanceof AppError) || error.code !== 'TOOL_INPUT_REQUIRED') return null;
  const { activityId } = Context.current().info;
  const isUndo = isUndoId(parseActivityId(activityId)?.nodeId ?? '');
  return isUndo ? null : (error.fields['question'] as ToolQuestion);
}
