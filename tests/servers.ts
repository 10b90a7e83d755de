import { randomBytes } from 'node:crypto';
import pg from 'pg';

export const TEMPLATE_DATABASE = 'weft_template';

export type TestDatabase = { url: string; drop: () => Promise<void> };
export type TestTemporal = { address: string; uiUrl: string; binary: string; namespace: string };

/** A database of its own, with every migration applied. `drop` throws out whoever is still connected. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = required('WEFT_TEST_DATABASE_URL');
  const name = uniqueName('test').replaceAll('-', '_');
  await administer(server, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE}`);
  const url = new URL(server);
  url.pathname = name;
  return { url: url.href, drop: () => administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** The Temporal server shared by the whole run; use task queues of your own. */
export function testTemporal(): TestTemporal {
  return {
    address: required('WEFT_TEST_TEMPORAL_ADDRESS'),
    uiUrl: required('WEFT_TEST_TEMPORAL_UI_URL'),
    binary: required('WEFT_TEST_TEMPORAL_BINARY'),
    namespace: 'default',
  };
}

/** The bundle of this product's workflows. */
export function testWorkflowBundle(): { codePath: string } {
  return { codePath: required('WEFT_TEST_BUNDLE') };
}

/** For task queues, run ids and whatever else tests must not share. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: name the test *.int.test.ts or *.e2e.test.ts`);
  return value;
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
