/** Appends batches to one stream and prints events a second, a line a round that stdin asks for. */
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';

const [BATCH, BATCHES] = [Number(process.env.BENCH_BATCH), Number(process.env.BENCH_BATCHES)];
const store = getPostgreSQLEventStore(process.env.BENCH_DATABASE_URL);
await store.schema.migrate();

const makeEvents = (batch) =>
  Array.from({ length: BATCH }, (_, index) => ({
    type: 'node.completed',
    data: {
      nodeId: `n${index}`,
      iteration: '1',
      output: { text: 'x'.repeat(300), score: index / 7, tags: ['a', 'b'] },
    },
    metadata: { correlationId: `run-${batch}` },
  }));

async function round() {
  const batches = Array.from({ length: BATCHES }, (_, batch) => makeEvents(batch));
  const stream = `bench-${randomUUID()}`;
  const begun = performance.now();
  for (const [index, events] of batches.entries()) {
    const expectedStreamVersion = index === 0 ? 'STREAM_DOES_NOT_EXIST' : BigInt(index * BATCH);
    await store.appendToStream(stream, events, { expectedStreamVersion });
  }
  return (BATCHES * BATCH * 1000) / (performance.now() - begun);
}

process.stdout.write('ready\n');
for await (const _ of createInterface({ input: process.stdin })) process.stdout.write(`${await round()}\n`);
await store.close();
process.exit(0);
