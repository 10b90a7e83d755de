import { Context } from '@temporalio/activity';
import { AppError } from '../../domain/errors.ts';
import type { EventRecorder } from '../../domain/events/event-recorder.ts';
import type { ToolCallInput, ToolResult } from '../../domain/tools/activities.ts';
import type { EffectLedger } from '../../domain/tools/effect-ledger.ts';
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

export function callTool({ servers, effects, events }: CallToolDependencies) {
  return ({ server: name, tool, arguments: given = {}, failOnError, onUnknown }: ToolCallInput): Promise<ToolResult> =>
    heartbeatWhile(async (signal) => {
      const { info } = Context.current();
      const opened = await servers.open(info.workflowExecution?.workflowId ?? '', name);
      const described = await opened.describe(tool, signal);
      const repeatable = described.idempotent || opened.server.idempotentTools.includes(tool);
      const send = (key: string) =>
        recordCall(events, {
          type: 'tool.called',
          asked: { kind: 'mcp', tool: `${name}/${tool}`, requestHash: requestHash({ name, tool, given }) },
          answered: ({ isError }) => ({ status: isError ? 1 : 0 }),
          send: () => opened.call({ tool, arguments: given, idempotencyKey: key, onProgress: () => undefined }, signal),
        });
      const result = described.readOnly
        ? await send(idempotencyKey(info))
        : await withEffect(effects, {
            asked: { name, tool, given },
            request: { server: name, tool, argumentNames: Object.keys(given) },
            onUnknown: onUnknown ?? (repeatable ? 'retry' : 'fail'),
            send,
          });
      if (result.isError && failOnError !== false) {
        throw new AppError('TOOL_FAILED', { server: name, tool, detail: result.text.slice(0, DETAIL_CHARACTERS) });
      }
      return result;
    });
}
