import { untilLeft } from '../../adapters/graphql/until-left.ts';
import type { Json } from '../../domain/json.ts';
import type { Principal } from '../access/principal.ts';
import type { WatchDeps } from '../models/watch-tokens.ts';
import type { RunsContext } from '../runs/resolvers.ts';
import type { TenantDeps } from '../runs/tenant-deps.ts';
import {
  saveAgent,
  type SendAgentMessage,
  sendAgentMessage,
  type StartAgentChat,
  startAgentChat,
} from './agent-operations.ts';
import { readConversation } from './conversation.ts';
import { watchAgent } from './watch-agent.ts';

export function agentsResolvers(tenants: TenantDeps, watchDepsOf: (principal: Principal) => WatchDeps) {
  const depsOf = ({ principal }: RunsContext) => tenants.of(principal);
  return {
    Query: {
      agentConversation: (_: unknown, { runId }: { runId: string }, context: RunsContext) =>
        readConversation(depsOf(context), context.principal, runId),
    },
    Mutation: {
      saveAgent: (_: unknown, agent: { name: string; config: Json }, context: RunsContext) =>
        saveAgent(depsOf(context), context.principal, agent),
      startAgentChat: (_: unknown, request: StartAgentChat, context: RunsContext) =>
        startAgentChat(depsOf(context), context.principal, request),
      sendAgentMessage: (_: unknown, request: SendAgentMessage, context: RunsContext) =>
        sendAgentMessage(depsOf(context), context.principal, request),
    },
    Subscription: {
      agentChat: {
        resolve: (event: unknown) => event,
        subscribe: (
          _: unknown,
          { runId, after }: { runId: string; after?: number | null },
          { principal }: RunsContext,
        ) => untilLeft((signal) => watchAgent(watchDepsOf(principal), principal, { runId, after: after ?? 0 }, signal)),
      },
    },
  };
}
