import { hash } from 'node:crypto';
import type { Request } from 'express';
import type { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { Given, RestRoute } from './rest-route.ts';

const MOST_WAIT_MS = 60_000;
const KEY = /^[\x21-\x7e]{1,255}$/;

/** What the route was given, checked. @throws INPUT_INVALID */
export function givenRequest(route: RestRoute, request: Request): Given {
  const path = request.params as Record<string, string>;
  const query = route.query ? checked(route.query, listsOf(route, request.query), 'query') : nothing(request.query);
  const body = route.body ? checked(route.body, bodyOf(request), 'body') : {};
  const { wait, ...rest } = query;
  const waitMs = wait === undefined ? {} : { waitMs: waitOf(String(wait)) };
  return { path, query: { ...rest, ...waitMs }, body, idempotencyKey: idempotencyKey(route, request) };
}

function bodyOf(request: Request): unknown {
  const hasBody = request.headers['content-length'] !== '0' && request.body !== undefined;
  if (request.body === undefined && request.headers['content-type'] !== undefined && !request.is('json')) {
    throw new AppError('MEDIA_TYPE_UNSUPPORTED', { type: request.headers['content-type'] });
  }
  return hasBody ? (request.body as unknown) : {};
}

/** `?status=A` and `?status=A&status=B` mean lists where the operation takes one. */
const listsOf = (_: RestRoute, query: Request['query']): unknown => ({ ...query });

function nothing(query: Request['query']): Record<string, unknown> {
  const [unknown] = Object.keys(query);
  if (unknown !== undefined) throw new AppError('INPUT_INVALID', { detail: `query knows no ${unknown}` });
  return {};
}

function checked(schema: z.ZodObject, value: unknown, where: string): Record<string, unknown> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const paths = result.error.issues.map(({ path, message }) => ({ path: `/${path.map(String).join('/')}`, message }));
  const detail = paths.map(({ path, message }) => `${where}${path === '/' ? '' : path} ${message}`).join('; ');
  throw new AppError('INPUT_INVALID', { detail, paths });
}

function waitOf(text: string): number {
  const [, digits = '0', unit = 's'] = /^(\d+)(ms|s)?$/.exec(text) ?? [];
  return Math.min(Number(digits) * (unit === 'ms' ? 1 : 1000), MOST_WAIT_MS);
}

function idempotencyKey(route: RestRoute, request: Request): string | undefined {
  const key = request.get('idempotency-key');
  if (key === undefined || !route.idempotent) return undefined;
  if (!KEY.test(key)) {
    throw new AppError('INPUT_INVALID', { detail: 'Idempotency-Key must be 1 to 255 printable characters' });
  }
  return key;
}

/** Strong: the same bytes. */
export const etagOfText = (text: string): string => `"${hash('sha256', text, 'base64url').slice(0, 27)}"`;
export const etagOf = (answer: unknown): string => etagOfText(JSON.stringify(answer));
