/** A process that publishes events to Redis, for tests that kill it. Arguments: database, Redis. */
import { createPool } from '../adapters/postgres/pool.ts';
import { openRedisEventStream } from '../adapters/redis/redis-event-stream.ts';
import { startEventOutbox } from '../workers/event-outbox.ts';

const [databaseUrl = '', redisUrl = ''] = process.argv.slice(2);
const log = {
  warn: (fields: object, message: string) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
};
const stream = openRedisEventStream(redisUrl, { most: 1_000_000, onError: () => undefined });
startEventOutbox({ pool: createPool(databaseUrl, 2), stream, log });
process.send?.('started');
