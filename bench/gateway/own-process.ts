import { pino } from 'pino';
import { loadSettings } from '../../config/load.ts';
import { startGateway } from '../../gateway/start-gateway.ts';
import { reportUsage } from './report-usage.ts';

const supergraphSdl = process.env['BENCH_SUPERGRAPH'] ?? '';
const port = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(supergraphSdl)?.[1];
/** All that it does for a request in production, but for the line of its log. */
const gateway = await startGateway({ ...loadSettings(), GATEWAY_PORT: 0, WEFT_AUTH: 'off' }, pino({ level: 'warn' }), {
  supergraphSdl,
  plannedSdl: supergraphSdl,
  rules: new Map(),
  addressOf: (name) => new URL(`http://127.0.0.1:${port}/${name}`),
});
reportUsage(gateway.port);
