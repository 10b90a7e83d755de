import type { ToolActivities } from '../../domain/tools/activities.ts';
import { callTool, type CallToolDependencies } from './call-tool.ts';

export function createMcpActivities(dependencies: CallToolDependencies) {
  return { 'tool.call': callTool(dependencies) } satisfies Pick<ToolActivities, 'tool.call'>;
}
