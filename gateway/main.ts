import { pino } from 'pino';
import { loadSettings } from '../config/load.ts';
import { startGateway } from './start-gateway.ts';

const settings = loadSettings();
const log = pino({ name: 'gateway', level: settings.WEFT_LOG_LEVEL }, pino.destination(2));
const gateway = await startGateway(settings, log);
log.info({ port: gateway.port, wanted: settings.GATEWAY_PORT }, 'gateway is ready');
process.send?.({ ready: true, port: gateway.port });

let stopping = false;
async function stop(reason: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  log.info({ reason }, 'gateway stops');
  await gateway.stop();
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
process.on('disconnect', () => void stop('parent is gone'));
