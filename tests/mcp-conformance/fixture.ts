import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createMcpDoor } from '../../adapters/mcp/mcp-door.ts';
import { AppError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { ServedTools } from '../../domain/tools/served-tools.ts';
import { checkLocal } from '../../api/access/check-local.ts';

const SCHEMA: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } },
  },
  properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
  additionalProperties: false,
};

/** The tools that the suite asks for by name, as far as tools of ours can be like them: they answer with texts. */
const tools: ServedTools<AbortSignal> = {
  name: 'conformance',
  instructions: 'Tools of the conformance suite.',
  list: async () => ({
    nextCursor: null,
    tools: [
      ...['test_simple_text', 'test_error_handling', 'test_tool_with_progress'].map((name) => ({
        name,
        description: name,
        inputSchema: { type: 'object', properties: {} },
      })),
      {
        name: 'json_schema_2020_12_tool',
        description: 'A tool with JSON Schema 2020-12 features',
        inputSchema: SCHEMA,
      },
    ],
  }),
  call: async ({ name, progress }) => {
    switch (name) {
      case 'test_simple_text':
        return { value: null, text: 'This is a simple text response for testing.' };
      case 'test_error_handling':
        throw new AppError('INPUT_INVALID', { detail: 'this tool intentionally returns an error for testing' });
      case 'test_tool_with_progress':
        for (const part of ['0', '50', '100']) progress?.(part);
        return { value: null, text: 'done' };
      default:
        throw new AppError('TOOL_UNKNOWN', { tool: name });
    }
  },
};

/** They behind the very door that our servers have. */
export async function startFixture(): Promise<{ url: string; close: () => Promise<void> }> {
  const door = createMcpDoor(() => tools, {
    appErrorOf: (error) => (error instanceof AppError ? error : undefined),
    logInternal: (error) => process.stderr.write(`${String(error)}\n`),
  });
  const app = express();
  app.all('/mcp', express.json(), (request, response) => {
    try {
      checkLocal(request, []);
    } catch {
      return void response.status(403).end();
    }
    door.answer(request, response, null, request.body as unknown).then(undefined, () => void response.destroy());
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: async () => {
      await door.close();
      server.closeAllConnections();
      server.close();
    },
  };
}
