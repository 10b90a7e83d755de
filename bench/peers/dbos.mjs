import { DBOS } from '@dbos-inc/dbos-sdk';
import { measure, STEPS } from './measure.mjs';

const chain = DBOS.registerWorkflow(
  async () => {
    let value = 0;
    for (let index = 0; index < STEPS; index += 1) {
      value = await DBOS.runStep(async () => value + 1, { name: `step${index}` });
    }
    return value;
  },
  { name: 'chain' },
);
DBOS.setConfig({
  name: 'weft-bench',
  systemDatabaseUrl: process.env.BENCH_DATABASE_URL,
  logLevel: 'error',
  runAdminServer: false,
});
await DBOS.launch();
await measure(async () => {
  const value = await (await DBOS.startWorkflow(chain)()).getResult();
  if (value !== STEPS) throw new Error(`gave ${value}`);
});
await DBOS.shutdown();
process.exit(0);
