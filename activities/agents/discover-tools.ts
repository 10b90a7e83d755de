import { Context } from '@temporalio/activity';
import type { DiscoverInput, DiscoverOutput } from '../../domain/agents/activities.ts';
import type { Offer } from '../../domain/agents/agent.ts';
import { callName } from '../../domain/agents/offers.ts';
import type { McpTool } from '../../domain/tools/mcp-server.ts';
import type { ToolServers } from '../../domain/tools/tool-servers.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';

export function discoverTools({ servers }: { servers: ToolServers<AbortSignal> }) {
  return ({ servers: wanted }: DiscoverInput): Promise<DiscoverOutput> =>
    heartbeatWhile(async (signal) => {
      const runId = Context.current().info.workflowExecution?.workflowId ?? '';
      const found: Offer[][] = [];
      for (const { server, tool, name, rule } of wanted) {
        const opened = await servers.open(runId, server);
        const tools = tool === undefined ? await opened.list(signal) : [await opened.describe(tool, signal)];
        found.push(tools.map((one) => offerOf(server, one, rule, tool === undefined ? undefined : name)));
      }
      return { tools: withNamesOfTheirOwn(found.flat()) };
    });
}

function offerOf(server: string, tool: McpTool, rule: number, name: string | undefined): Offer {
  const { inputSchema, readOnly, title } = tool;
  return {
    name: callName(name ?? tool.name),
    description: tool.description || (title ?? ''),
    parameters: inputSchema,
    ...{ rule, server, tool: tool.name, readOnly },
  };
}

/** Servers do not know of each other, so their names may clash: then the server's stands before. */
function withNamesOfTheirOwn(offers: readonly Offer[]): Offer[] {
  const counts = Map.groupBy(offers, ({ name }) => name);
  return offers.map((offer) =>
    (counts.get(offer.name)?.length ?? 0) < 2
      ? offer
      : { ...offer, name: callName(`${offer.server ?? ''}_${offer.name}`) },
  );
}
