/** `node tests/crash/subscription-consumer.ts DATABASE_URL TENANT NAME`: writes what it handles into the table `handled_events`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool } from '../../adapters/postgres/pool.ts';
import { startConsumer } from '../../adapters/postgres/subscriptions.ts';

const [databaseUrl = '', tenantId = '', name = ''] = process.argv.slice(2);
const pool = createPool(databaseUrl, 2);
startConsumer(
  pool,
  { tenantId, name },
  async (events, client) => {
    for (const { position, streamId, version } of events) {
      await client.query('INSERT INTO handled_events (position, stream_id, version, pid) VALUES ($1, $2, $3, $4)', [
        ...[position, streamId, version, process.pid],
      ]);
      // Slow enough that a kill finds a batch half done.
      await sleep(2);
    }
  },
  { batch: 20, onError: (error) => process.stderr.write(`${String(error)}\n`) },
);
process.stdout.write('ready\n');
