import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { reportUsage } from './report-usage.ts';

process.env['APOLLO_TELEMETRY_DISABLED'] = '1';
const gateway = new ApolloGateway({ supergraphSdl: process.env['BENCH_SUPERGRAPH'] ?? '' });
const server = new ApolloServer({ gateway });
const { url } = await startStandaloneServer(server, { listen: { port: 0, host: '127.0.0.1' } });
reportUsage(Number(new URL(url).port));
