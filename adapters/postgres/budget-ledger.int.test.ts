import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../../domain/identifiers.ts';
import type { NewBudget } from '../../domain/models/budget.ts';
import type { Reservation } from '../../domain/models/budget-ledger.ts';
import { MANUAL_TRIGGER } from '../../domain/runs/triggers/run-trigger.ts';
import { createTestDatabase, uniqueName } from '../../tests/servers.ts';
import { createBudgetLedger } from './budget-ledger.ts';
import { readBudgetUse, saveBudget } from './budget-store.ts';
import { type BudgetSweeper, startBudgetSweeper } from './budget-sweeper.ts';
import { createPool } from './pool.ts';
import { insertRun } from './run-store.ts';
import { inTransaction } from './transaction.ts';

let pool: pg.Pool;
let close: () => Promise<void>;
const sweepers: BudgetSweeper[] = [];
beforeAll(async () => {
  const database = await createTestDatabase();
  pool = createPool(database.url, 20);
  close = async () => {
    for (const sweeper of sweepers) await sweeper.close();
    await pool.end();
    await database.drop();
  };
}, 60_000);
afterAll(() => close());
beforeEach(() => pool.query('DELETE FROM budgets'));

const fail = (error: unknown) => {
  throw error;
};
function ledgerOf(worker = 'here', chargeLost = false, leaseMs = 60_000) {
  const sweeper = startBudgetSweeper(pool, { worker, leaseMs, chargeLost, onError: fail });
  sweepers.push(sweeper);
  return { sweeper, ledger: createBudgetLedger(pool, { worker, leaseMs, onError: fail }, sweeper.release) };
}

const budget = (fields: Partial<NewBudget>): NewBudget => ({
  ...{ id: uniqueName('budget'), scope: 'TENANT', target: null, period: 'DAY', unit: 'TOKENS', limit: 1_000 },
  ...{ action: 'BLOCK', downgradeTo: null, warnAt: [50, 80, 95], enabled: true },
  ...fields,
});
const save = (fields: Partial<NewBudget>) =>
  inTransaction(pool, (client) => saveBudget(client, DEFAULT_TENANT, budget(fields)));

async function startRun(fields: { id?: string; project?: string; user?: string; workflow?: string } = {}) {
  const id = runId(fields.id ?? uniqueName('run'));
  await insertRun(pool, {
    ...{ id, tenantId: DEFAULT_TENANT, workflowId: workflowId(fields.workflow ?? 'asks'), version: 1 },
    ...{ definitionHash: definitionHash('0'.repeat(64)), input: null, idempotencyKey: null, createdAt: new Date() },
    ...(fields.project === undefined ? {} : { labels: { project: fields.project } }),
    trigger: { ...MANUAL_TRIGGER, source: fields.user ?? null },
  });
  return id;
}
function call(run: string, fields: Partial<Reservation> & { tokens?: number } = {}): Reservation {
  const { tokens = 100, ...rest } = fields;
  const activity = rest.activity ?? uniqueName(run);
  return {
    ...{
      callId: `${activity}/${rest.attempt ?? 1}.1`,
      activity,
      attempt: 1,
      runId: run,
      provider: 'openai',
      model: 'gpt',
    },
    ...{ amounts: { tokens, microUsd: tokens * 2 }, ...rest },
  };
}
const eventsOf = async (type: string) =>
  (await pool.query<{ payload: any }>('SELECT payload FROM events WHERE type = $1 ORDER BY position', [type])).rows.map(
    ({ payload }) => payload,
  );

describe('budgets of calls', () => {
  it('admit exactly as many of many calls at once as there is room for, in all budgets or in none', async () => {
    const [day, total] = [await save({ limit: 700 }), await save({ period: 'TOTAL', unit: 'MICRO_USD', limit: 1e9 })];
    const id = await startRun();
    const { ledger } = ledgerOf();
    const outcomes = await Promise.all(Array.from({ length: 60 }, () => ledger.reserve(call(id))));
    expect(outcomes.filter(({ admitted }) => admitted)).toHaveLength(7);
    expect(await readBudgetUse(pool, day, 10)).toMatchObject([{ target: '', spent: 0, reserved: 700 }]);
    expect(await readBudgetUse(pool, total, 10)).toMatchObject([{ reserved: 1_400 }]);
    const refused = outcomes.find(({ admitted }) => !admitted);
    expect(refused).toMatchObject({ refusals: [{ budgetId: day.id, limit: 700, asked: 100, action: 'BLOCK' }] });
  }, 60_000);

  it('count a call once however often it is reserved and settled, with what it came to', async () => {
    const day = await save({});
    const { ledger } = ledgerOf();
    const one = call(await startRun());
    await Promise.all(Array.from({ length: 8 }, () => ledger.reserve(one)));
    expect(await readBudgetUse(pool, day, 1)).toMatchObject([{ spent: 0, reserved: 100 }]);
    await Promise.all(Array.from({ length: 8 }, () => ledger.settle(one.callId, { tokens: 30, microUsd: 60 })));
    expect(await readBudgetUse(pool, day, 1)).toMatchObject([{ spent: 30, reserved: 0 }]);
    expect(await ledger.reserve(one)).toEqual({ admitted: true, isCounted: true });
    expect(await readBudgetUse(pool, day, 1)).toMatchObject([{ spent: 30, reserved: 0 }]);
  });

  it('give back what a lost worker had reserved, and still count an answer that it comes back with', async () => {
    const day = await save({});
    const gone = ledgerOf('gone', false, 1_000);
    await gone.sweeper.close();
    const one = call(await startRun());
    await gone.ledger.reserve(one);
    const { sweeper } = ledgerOf();
    expect(await sweeper.sweep()).toBe(0);
    await pool.query(`UPDATE budget_reservations SET expires_at = now() - interval '1 s' WHERE worker = 'gone'`);
    const swept = await Promise.all([sweeper.sweep(), sweeper.sweep(), sweeper.sweep()]);
    expect(swept.reduce((sum, count) => sum + count)).toBe(1);
    expect(await readBudgetUse(pool, day, 1)).toMatchObject([{ spent: 0, reserved: 0 }]);
    expect(await eventsOf('budget.call_lost')).toMatchObject([{ id: day.id, amount: 100, charged: false }]);
    await gone.ledger.settle(one.callId, { tokens: 40, microUsd: 0 });
    expect(await readBudgetUse(pool, day, 1)).toMatchObject([{ spent: 40, reserved: 0 }]);
  });

  it('count what a lost call had reserved as used where that is wanted, and nothing more', async () => {
    const day = await save({});
    const { ledger, sweeper } = ledgerOf('here', true);
    const one = call(await startRun());
    await ledger.reserve(one);
    await sweeper.release([one.callId]);
    await ledger.settle(one.callId, { tokens: 40, microUsd: 0 });
    expect(await readBudgetUse(pool, day, 1)).toMatchObject([{ spent: 100, reserved: 0 }]);
  });

  it('give back at once what an earlier attempt had reserved', async () => {
    const day = await save({});
    const { ledger } = ledgerOf();
    const id = await startRun();
    await ledger.reserve(call(id, { activity: `${id}/ask` }));
    await ledger.reserve(call(id, { activity: `${id}/ask`, attempt: 2 }));
    expect(await readBudgetUse(pool, day, 1)).toMatchObject([{ spent: 0, reserved: 100 }]);
  });

  it('belong to projects, users, workflows and runs, child runs included', async () => {
    const of = async (scope: NewBudget['scope'], target: string | null = null) => save({ scope, target });
    const [project, user, workflow, run] = [
      await of('PROJECT'),
      await of('USER', 'ada'),
      await of('WORKFLOW', 'child'),
      await of('RUN'),
    ];
    const id = await startRun({ project: 'apollo', user: 'ada', workflow: 'parent' });
    const child = await startRun({ id: `${id}:part:1`, workflow: 'child' });
    const other = await startRun({ user: 'grace' });
    const { ledger } = ledgerOf();
    for (const one of [id, child, other]) await ledger.reserve(call(one));
    expect(await readBudgetUse(pool, project, 9)).toMatchObject([{ target: 'apollo', reserved: 200 }]);
    expect(await readBudgetUse(pool, user, 9)).toMatchObject([{ target: 'ada', reserved: 200 }]);
    expect(await readBudgetUse(pool, workflow, 9)).toMatchObject([{ target: 'child', reserved: 100 }]);
    expect(await readBudgetUse(pool, run, 9)).toMatchObject([
      { target: id, reserved: 200 },
      { target: other, reserved: 100 },
    ]);
  });

  it('wait for a child run to be known, and let nobody past them meanwhile', async () => {
    await save({});
    const { ledger } = ledgerOf();
    await expect(ledger.reserve(call(`${await startRun()}:part:1`))).rejects.toMatchObject({ code: 'CALL_PARKED' });
  });

  it('count nothing where there are none', async () => {
    const { ledger } = ledgerOf();
    expect(await ledger.reserve(call(await startRun()))).toEqual({ admitted: true, isCounted: false });
    expect(await ledger.reserve(call('nobody-knows'))).toEqual({ admitted: true, isCounted: false });
  });

  it('ask a cheaper model beyond the limit, and count it', async () => {
    const day = await save({ limit: 50, action: 'DOWNGRADE', downgradeTo: 'lab/small' });
    const { ledger } = ledgerOf();
    const id = await startRun();
    expect(await ledger.reserve(call(id))).toMatchObject({ refusals: [{ downgradeTo: 'lab/small' }] });
    expect(await ledger.reserve(call(id, { provider: 'lab', model: 'small' }))).toMatchObject({ admitted: true });
    expect(await readBudgetUse(pool, day, 1)).toMatchObject([{ reserved: 100 }]);
  });

  it('begin a window anew as another row, and charge a call to the window in which it was reserved', async () => {
    const day = await save({ limit: 100 });
    const { ledger } = ledgerOf();
    const [id, one] = [await startRun(), call(await startRun())];
    await ledger.reserve(one);
    await pool.query(`UPDATE budget_windows SET starts_at = starts_at - interval '1 day'`);
    await pool.query(
      `UPDATE budget_reservations SET entries = (SELECT jsonb_agg(entry || jsonb_build_object('startsAt',
         (entry ->> 'startsAt')::timestamptz - interval '1 day')) FROM jsonb_array_elements(entries) entry) WHERE call_id = $1`,
      [one.callId],
    );
    expect(await ledger.reserve(call(id))).toMatchObject({ admitted: true });
    await ledger.settle(one.callId, { tokens: 70, microUsd: 0 });
    expect(await readBudgetUse(pool, day, 9)).toMatchObject([{ spent: 0, reserved: 100 }]);
    const { rows } = await pool.query('SELECT spent::int, reserved::int FROM budget_windows ORDER BY starts_at');
    expect(rows).toEqual([
      { spent: 70, reserved: 0 },
      { spent: 0, reserved: 100 },
    ]);
  });

  it('say once when much of them is used, and once when a call did not fit', async () => {
    const day = await save({ limit: 200 });
    const { ledger } = ledgerOf();
    const id = await startRun();
    for (const tokens of [90, 20, 60, 25, 3, 2, 50]) {
      const one = call(id, { tokens });
      const { admitted } = await ledger.reserve(one);
      if (admitted) await ledger.settle(one.callId, { tokens, microUsd: 0 });
    }
    await ledger.reserve(call(id));
    const ofThis = async (type: string) => (await eventsOf(type)).filter((payload) => payload.id === day.id);
    expect(await ofThis('budget.warned')).toMatchObject([
      { percent: 50, spent: 110, limit: 200 },
      { percent: 80, spent: 170 },
      { percent: 95, spent: 195 },
    ]);
    expect(await ofThis('budget.exhausted')).toMatchObject([{ runId: id, action: 'BLOCK' }]);
  });
});
