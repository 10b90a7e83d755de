import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type DocumentNode, graphql, parse } from 'graphql';

/** The subgraphs that are still to come: their contract, and what they answered. */
export const RECORDED_SUBGRAPHS = ['content', 'knowledge', 'realtime'] as const;
export type RecordedSubgraph = (typeof RECORDED_SUBGRAPHS)[number];
type Entity = { id: string };
type Recorded = Record<RecordedSubgraph, Record<string, Entity[]>>;

export const recordedSdl = (name: RecordedSubgraph): DocumentNode =>
  parse(readFileSync(new URL(`${name}.graphql`, import.meta.url), 'utf8'));

/** Serves one of them with `@apollo/subgraph` over HTTP; what is not recorded is null. */
export async function serveRecorded(name: RecordedSubgraph) {
  const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Recorded;
  const resolvers = Object.fromEntries(
    Object.entries(recorded[name]).map(([type, entities]) => [
      type,
      { __resolveReference: ({ id }: Entity) => entities.find((one) => one.id === id) ?? { id } },
    ]),
  );
  const schema = buildSubgraphSchema([{ typeDefs: recordedSdl(name), resolvers }]);
  const asked: { query: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { query, variables = {} } = JSON.parse(Buffer.concat(chunks).toString()) as {
        query: string;
        variables?: Record<string, unknown>;
      };
      asked.push({ query, headers: request.headers });
      void graphql({ schema, source: query, variableValues: variables }).then((answer) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    asked,
    close(): Promise<void> {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
