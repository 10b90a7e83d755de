import type { GraphQLSchema } from 'graphql';
import { z } from 'zod';
import { operationRule } from '../../domain/access/operation-permissions.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { RestRoute } from './rest-route.ts';
import { responseSchema } from './response-schema.ts';

const PROBLEM: JsonObject = {
  description: 'RFC 9457. `code` is one of docs/errors.md.',
  type: 'object',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    hint: { type: 'string' },
    paths: { type: 'array', items: { type: 'object' } },
    problems: { type: 'array', items: { type: 'object' } },
  },
  required: ['type', 'title', 'status', 'detail', 'code'],
};
const REFUSALS = ['400', '401', '403', '404', '405', '409', '410', '412', '413', '415', '422', '429', '500', '503'];

/** OpenAPI 3.1 of the routes: what they take from their zod schemas, what they give from the graph. */
export function openApi(schema: GraphQLSchema, routes: readonly RestRoute[]): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationOf(schema, route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Weft',
      version: '0.1.0',
      description:
        'Durable AI workflows. The same operations as the graph at :4000/graphql; docs/rest.md has the rest.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An access token of `POST /login`, or an API key.' },
      },
      schemas: { Problem: PROBLEM, Json: { description: 'Any JSON value.' } },
    },
  };
}

function operationOf(schema: GraphQLSchema, route: RestRoute): JsonObject {
  const rule = operationRule(route.operation) ?? 'public';
  return {
    operationId: idOf(route),
    summary: route.summary,
    tags: [tagOf(route)],
    ...(route.alias ? { deprecated: true } : {}),
    ...(rule === 'public' ? { security: [] } : {}),
    'x-permission': rule,
    parameters: parametersOf(route),
    ...(route.body
      ? {
          requestBody: {
            required: hasRequired(route.body),
            content: { 'application/json': { schema: jsonSchema(route.body) } },
          },
        }
      : {}),
    responses: responsesOf(schema, route),
  };
}

function responsesOf(schema: GraphQLSchema, route: RestRoute): JsonObject {
  const { status = 200 } = route;
  const content = { 'application/json': { schema: answerSchema(schema, route) } };
  const good = status === 204 ? { description: 'Done.' } : { description: 'The result.', content };
  const problem = {
    description: 'A problem.',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  const codes = route.waits && status !== 200 ? [String(status), '200'] : [String(status)];
  return Object.fromEntries([
    ...codes.map((code) => [code, good] as const),
    ...(route.method === 'get' ? [['304', { description: 'As `If-None-Match` says.' }] as const] : []),
    ...REFUSALS.map((code) => [code, problem] as const),
  ]);
}

/** What an alias or a stream makes of the result is said in words alone. */
function answerSchema(schema: GraphQLSchema, route: RestRoute): JsonObject {
  if (route.present) return { type: 'object' };
  const result = responseSchema(schema, route.document);
  const { edges, totalCount } = (result['properties'] ?? {}) as Record<string, JsonObject | undefined>;
  if (!edges || !totalCount) return result;
  const node = ((edges['items'] as JsonObject)['properties'] as JsonObject)['node'] as JsonObject;
  return {
    type: 'object',
    properties: {
      items: { type: 'array', items: node },
      totalCount: { type: 'integer' },
      nextCursor: { type: ['string', 'null'], description: '`after` of the next page; null when this is the last.' },
    },
    required: ['items', 'totalCount', 'nextCursor'],
  };
}

function parametersOf(route: RestRoute): JsonObject[] {
  const path = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string', minLength: 1, maxLength: 512 } },
  }));
  const { properties = {}, required = [] } = route.query ? jsonSchema(route.query) : {};
  const query = Object.entries(properties as Record<string, JsonObject>).map(([name, { description, ...schema }]) => ({
    ...{ name, in: 'query', required: (required as string[]).includes(name), schema },
    ...(typeof description === 'string' ? { description } : {}),
  }));
  const key = {
    ...{ name: 'Idempotency-Key', in: 'header', required: false },
    description: 'The same key again gives the same run.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
  };
  return [...path, ...query, ...(route.idempotent ? [key] : [])];
}

function jsonSchema(schema: z.ZodObject): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'output',
    unrepresentable: 'any',
  });
  // zod names what refers to itself within the schema, which is not where a reference of this document points.
  const { $defs: __, ...named } = JSON.parse(JSON.stringify(rest).replaceAll(ZODS_JSON, OUR_JSON)) as JsonObject;
  return named;
}

/** Any JSON value is the one schema here that refers to itself. */
const ZODS_JSON = /#\/\$defs\/__schema0\b/g;
const OUR_JSON = '#/components/schemas/Json';

const hasRequired = (schema: z.ZodObject): boolean => ((jsonSchema(schema)['required'] ?? []) as string[]).length > 0;

const idOf = ({ method, path }: RestRoute): string =>
  `${method} ${path}`.replace(/[^A-Za-z0-9]+/g, '_').replace(/_$/, '');

function tagOf({ path, alias }: RestRoute): string {
  if (alias) return 'aliases';
  const [, first = ''] = path.split('/');
  return ['login', 'refresh', 'logout', 'me', 'users', 'keys'].includes(first) ? 'access' : first;
}
