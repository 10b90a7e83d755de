import { allow } from '../../domain/access/allow.ts';
import { operationRule } from '../../domain/access/operation-permissions.ts';
import type { Permission } from '../../domain/access/permission.ts';
import { AppError } from '../../domain/errors.ts';
import type { ServedTools } from '../../domain/tools/served-tools.ts';
import type { Principal } from '../access/principal.ts';
import { callOwnTool, servedTool } from './own-tool.ts';
import { callWorkflow, listWorkflowTools } from './workflow-tools.ts';
import { RUN_TOOLS } from './run-tools.ts';
import type { WeftCaller } from './weft-caller.ts';

const INSTRUCTIONS = `Durable workflows. Every published workflow is a tool of its own; its call starts a run and answers when the run
has closed, or with the run as it is. A run goes on whatever becomes of the call: ask for it again with get_run or watch_run. The same
idempotency key gives the same run. Runs that are WAITING may need approve_node or emit_event.`;

/** Runs and workflows of one caller, as tools: nothing but the operations of the graph, and what those allow. */
export function weftTools(caller: WeftCaller): ServedTools<AbortSignal> {
  const own = RUN_TOOLS.filter(({ operation }) => may(caller.principal, operation));
  return {
    name: 'weft',
    instructions: INSTRUCTIONS,
    async list(cursor) {
      const workflows = await listWorkflowTools(caller, cursor);
      return { ...workflows, tools: [...(cursor === null ? own.map(servedTool) : []), ...workflows.tools] };
    },
    async call(call) {
      // Names of workflows have no underscore, names of tools that are not workflows have one.
      if (!call.name.includes('_')) return callWorkflow(caller, call);
      const tool = RUN_TOOLS.find(({ name }) => name === call.name);
      if (!tool) throw new AppError('TOOL_UNKNOWN', { tool: call.name });
      return callOwnTool(tool, caller, call);
    },
  };
}

function may(principal: Principal, operation: string): boolean {
  const rule = operationRule(operation);
  return rule === 'public' || rule === 'authenticated' || allow(principal, rule as Permission);
}
