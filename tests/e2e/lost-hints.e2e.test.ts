import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectEveryEventOnce } from './audit.ts';
import { approvalThen, threeCalls } from './definitions.ts';
import { type Ledger, startLedger } from './ledger.ts';
import { type Stack, startStack } from './stack.ts';

let ledger: Ledger;
let stack: Stack;

beforeAll(async () => {
  ledger = await startLedger();
  stack = await startStack({ env: { WEFT_HTTP_ALLOWED_HOSTS: ledger.host } });
  await stack.pool.query(`
    CREATE FUNCTION lose_hint() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER lose_hints BEFORE INSERT ON run_hints FOR EACH ROW EXECUTE FUNCTION lose_hint()`);
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await ledger?.close();
});

describe('when every hint is lost', () => {
  it('the reconciler brings every event of finished and waiting runs within 30 s', async () => {
    const calls = threeCalls('lost-hints', [ledger.url('/a'), ledger.url('/b'), ledger.url('/c')]);
    const finished = await stack.graphql.execute(await stack.graphql.publish(calls), {});
    const asking = approvalThen('lost-hints-approval', ledger.url('/d'));
    const waiting = await stack.graphql.execute(await stack.graphql.publish(asking), {});
    await stack.temporal.client.workflow.getHandle(finished).result();
    await stack.graphql.until(finished, ['COMPLETED'], 30_000);
    await stack.graphql.until(waiting, ['WAITING'], 30_000);
    await expectEveryEventOnce(stack, finished);
    await expectEveryEventOnce(stack, waiting);
    const { rows } = await stack.pool.query('SELECT 1 FROM run_hints');
    expect(rows).toEqual([]);
  }, 90_000);
});
