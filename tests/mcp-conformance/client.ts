import { callTool } from '../../adapters/mcp/call-tool.ts';
import { createGuardedFetch } from '../../adapters/mcp/guarded-fetch.ts';
import { createMcpPool, type OpenServer } from '../../adapters/mcp/mcp-pool.ts';
import { listTools } from '../../adapters/mcp/open-tool-server.ts';
import { DEFAULT_TENANT } from '../../domain/identifiers.ts';
import { AppError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import { MCP_DEFAULTS } from '../../domain/tools/mcp-server.ts';
import type { ToolQuestion } from '../../domain/tools/tool-question.ts';

/** Our client as the conformance suite starts it: lists the tools of a server and calls each, as a run would. */
const url = process.argv.at(-1) ?? '';
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? '';
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Record<string, string>;
const secrets: Record<string, string> = scenario.startsWith('auth/')
  ? { 'oauth.clientId': context['client_id'] ?? '', 'oauth.clientSecret': context['client_secret'] ?? '' }
  : {};

const { hostname } = new URL(url);
const guarded = createGuardedFetch([hostname]);
const pool = createMcpPool({ policy: { stdioCommands: [], allowedHosts: [hostname], fetch: guarded.fetch } });
const server: OpenServer = {
  ...MCP_DEFAULTS,
  ...{ tenantId: DEFAULT_TENANT, id: 'suite', transport: 'http', command: null, args: [] },
  ...{ endpoints: [{ url, weight: 1 }], secretNames: [], allowedTools: null, idempotentTools: [] },
  ...{ enabled: true, revision: 1, createdAt: new Date(0), updatedAt: new Date(0), secrets },
};
const signal = AbortSignal.timeout(20_000);

for (const { name, inputSchema } of await listTools(pool, server, signal)) {
  const given = argumentsFor(inputSchema);
  await call(name, given, []);
}
await pool.close();
await guarded.close();

/** What a tool asks is answered by an empty form, so that the defaults of its schema count. */
async function call(tool: string, given: JsonObject, asked: readonly ToolQuestion[]): Promise<void> {
  const answers = asked.map((question) => ({ question, action: 'accept' as const, content: {} }));
  try {
    await callTool(pool, server, { tool, arguments: given, idempotencyKey: null, answers }, signal);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'TOOL_INPUT_REQUIRED' || asked.length > 2) throw error;
    await call(tool, given, [...asked, error.fields['question'] as ToolQuestion]);
  }
}

function argumentsFor(schema: JsonObject): JsonObject {
  const properties = (schema['properties'] ?? {}) as { [name: string]: { type?: string } };
  const valueOf = (type: string | undefined) => (type === 'number' || type === 'integer' ? 2 : 'text');
  return Object.fromEntries(Object.entries(properties).map(([name, { type }]) => [name, valueOf(type)]));
}
