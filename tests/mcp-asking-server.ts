import { appendFileSync } from 'node:fs';
import { acceptedContent, inputRequired, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

/** An MCP server of the new era whose tool asks twice before it does anything; what it does is a line in the file. */
const [, , file = ''] = process.argv;
const where = {
  type: 'object',
  properties: { environment: { type: 'string', enum: ['staging', 'production'] } },
  required: ['environment'],
} as const;
const sure = { type: 'object', properties: { sure: { type: 'boolean' } }, required: ['sure'] } as const;
const form = (message: string, requestedSchema: typeof where | typeof sure) =>
  inputRequired.elicit({ mode: 'form', message, requestedSchema: requestedSchema as never });

serveStdio(() => {
  const server = new McpServer({ name: 'asking', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.registerTool(
    'deploy',
    { description: 'Deploys an app, after it was told where.', inputSchema: z.object({ app: z.string() }) },
    ({ app }, { mcpReq }) => {
      const state = JSON.parse(mcpReq.requestState() ?? '{}') as { environment?: string };
      const environment =
        state.environment ?? acceptedContent<{ environment: string }>(mcpReq.inputResponses, 'where')?.environment;
      if (environment === undefined)
        return inputRequired({ inputRequests: { where: form(`Where to, ${app}?`, where) } });
      const answer = acceptedContent<{ sure: boolean }>(mcpReq.inputResponses, 'sure');
      if (answer === undefined) {
        const requestState = JSON.stringify({ environment });
        return inputRequired({ requestState, inputRequests: { sure: form(`Really to ${environment}?`, sure) } });
      }
      const text = answer.sure ? `${app} is in ${environment}` : `${app} stays where it is`;
      if (answer.sure) appendFileSync(file, `${text}\n`);
      return { content: [{ type: 'text', text }] };
    },
  );
  return server;
});
