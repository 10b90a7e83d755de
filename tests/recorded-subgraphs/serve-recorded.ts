import { readFileSync } from 'node:fs';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type DocumentNode, parse } from 'graphql';

/** The subgraphs that are still to come: their contract, and what they answered. */
export const RECORDED_SUBGRAPHS = ['content', 'knowledge', 'realtime'] as const;
export type RecordedSubgraph = (typeof RECORDED_SUBGRAPHS)[number];
type Entity = { id: string };
type Recorded = Record<RecordedSubgraph, Record<string, Entity[]>>;

export const recordedSdl = (name: RecordedSubgraph): DocumentNode =>
  parse(readFileSync(new URL(`${name}.graphql`, import.meta.url), 'utf8'));

/** Serves one of them over HTTP with Apollo Server; what is not recorded is null. */
export async function serveRecorded(name: RecordedSubgraph) {
  const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Recorded;
  const resolvers = Object.fromEntries(
    Object.entries(recorded[name]).map(([type, entities]) => [
      type,
      { __resolveReference: ({ id }: Entity) => entities.find((one) => one.id === id) ?? { id } },
    ]),
  );
  const schema = buildSubgraphSchema([{ typeDefs: recordedSdl(name), resolvers }]);
  const asked: string[] = [];
  const server = new ApolloServer({
    schema,
    stopOnTerminationSignals: false,
    plugins: [
      ApolloServerPluginInlineTraceDisabled(),
      { requestDidStart: async ({ request }) => void asked.push(request.query ?? '') },
    ],
  });
  const { url } = await startStandaloneServer(server, { listen: { port: 0, host: '127.0.0.1' } });
  return { url, asked, close: () => server.stop() };
}
