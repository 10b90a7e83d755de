import type { AgentActivities } from '../../domain/agents/activities.ts';
import type { ToolServers } from '../../domain/tools/tool-servers.ts';
import type { CompleteDependencies } from '../models/complete.ts';
import { discoverTools } from './discover-tools.ts';
import { summarize } from './summarize.ts';
import { turn } from './turn.ts';

/** Those that ask models. */
export function createAgentActivities(dependencies: CompleteDependencies) {
  return {
    'agent.turn': turn(dependencies),
    'agent.summarize': summarize(dependencies),
  } satisfies Pick<AgentActivities, 'agent.turn' | 'agent.summarize'>;
}

export function createDiscoveryActivities(servers: ToolServers<AbortSignal>) {
  return { 'agent.tools': discoverTools({ servers }) } satisfies Pick<AgentActivities, 'agent.tools'>;
}
