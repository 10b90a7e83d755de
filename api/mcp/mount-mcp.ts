import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { GraphQLSchema } from 'graphql';
import { createMcpDoor, type McpDoor } from '../../adapters/mcp/mcp-door.ts';
import { AppError } from '../../domain/errors.ts';
import type { ServedTools } from '../../domain/tools/served-tools.ts';
import type { Access } from '../access/open-access.ts';
import type { Principal } from '../access/principal.ts';
import { toAppError } from '../graphql/to-app-error.ts';
import { sendProblem } from '../http/problem.ts';
import type { TenantDeps } from '../runs/tenant-deps.ts';
import { CUSTOMER_SUPPORT } from './customer-support.ts';
import { KNOWLEDGE_BASE } from './knowledge-base.ts';
import { fixedTools } from './tools-caller.ts';
import { createAsking, type WeftCaller } from './weft-caller.ts';
import { weftTools } from './weft-tools.ts';

export const MCP_PATH = '/mcp';

export type McpParts = {
  schema: GraphQLSchema;
  access: Pick<Access, 'atTheDoor' | 'internal'>;
  tenants: TenantDeps;
  contextOf: (principal: Principal) => object;
  bodyLimit: number;
  logInternal: (error: unknown) => void;
};

/** Our MCP servers, by address. */
const SERVERS: Readonly<Record<string, (caller: WeftCaller) => ServedTools<AbortSignal>>> = {
  [MCP_PATH]: weftTools,
  [`${MCP_PATH}/customer-support`]: (caller) => fixedTools(CUSTOMER_SUPPORT, caller),
  [`${MCP_PATH}/knowledge-base`]: (caller) => fixedTools(KNOWLEDGE_BASE, caller),
};

/** Streamable HTTP for those who have signed in, by the same tokens and keys as at the other doors. */
export function mountMcp(app: Express, parts: McpParts): { close: () => Promise<void> } {
  const { access, logInternal, bodyLimit } = parts;
  const askOf = createAsking(parts.schema, parts.contextOf);
  const callerOf = (principal: Principal): WeftCaller => ({
    principal,
    deps: parts.tenants.of(principal),
    ask: askOf(principal),
  });
  const doors = Object.entries(SERVERS).map(([path, toolsOf]) => {
    const door = createMcpDoor(toolsOf, { appErrorOf: toAppError, logInternal });
    app.all(path, knownTo(access), express.json({ limit: bodyLimit }), answered(door, callerOf));
    app.use(path, refusals(logInternal));
    return door;
  });
  return { close: async () => void (await Promise.all(doors.map((door) => door.close()))) };
}

function knownTo(access: McpParts['access']): RequestHandler {
  return async (request, response, next) => {
    const principal = await access.atTheDoor(request);
    if (principal.kind === 'NOBODY')
      throw new AppError('UNAUTHENTICATED', { detail: 'MCP is for those who are known' });
    response.locals['principal'] = principal;
    next();
  };
}

const answered =
  (door: McpDoor<WeftCaller>, callerOf: (principal: Principal) => WeftCaller): RequestHandler =>
  async (request, response) => {
    const caller = callerOf(response.locals['principal'] as Principal);
    await door.answer(request, response, caller, request.body as unknown);
  };

const refusals =
  (logInternal: (error: unknown) => void): ErrorRequestHandler =>
  (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    if (error instanceof AppError && error.status === 401) response.set('WWW-Authenticate', 'Bearer');
    if (toAppError(error) === undefined && typeof (error as { status?: unknown }).status === 'number')
      return next(error);
    sendProblem(response, error, logInternal);
  };
