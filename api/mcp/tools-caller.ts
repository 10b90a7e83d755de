import { demand } from '../../domain/access/allow.ts';
import { AppError } from '../../domain/errors.ts';
import type { TenantId } from '../../domain/identifiers.ts';
import type { ServedTools } from '../../domain/tools/served-tools.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from '../runs/deps.ts';
import { callOwnTool, type OwnTool, servedTool } from './own-tool.ts';

/** Whoever calls tools that work on tables of its tenant. */
export type ToolsCaller = { principal: Principal; pool: RunsDeps['pool']; tenantId: TenantId };

/** A server of a fixed set of tools, for those who may call tools. */
export function fixedTools(
  { name, instructions, tools }: { name: string; instructions: string; tools: readonly OwnTool<ToolsCaller>[] },
  { principal, deps }: { principal: Principal; deps: RunsDeps },
): ServedTools<AbortSignal> {
  const caller = { principal, pool: deps.pool, tenantId: principal.tenantId };
  return {
    name,
    instructions,
    async list() {
      demand(principal, 'tools:call', name);
      return { tools: tools.map(servedTool), nextCursor: null };
    },
    async call(call) {
      demand(principal, 'tools:call', name);
      const tool = tools.find((one) => one.name === call.name);
      if (!tool) throw new AppError('TOOL_UNKNOWN', { tool: call.name });
      return callOwnTool(tool, caller, call);
    },
  };
}
