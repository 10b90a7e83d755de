import { Connection } from '@temporalio/client';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, testTemporal } from './servers.ts';

describe('the servers of the test run', () => {
  it('give every test a migrated PostgreSQL 18 database of its own', async () => {
    const databases = await Promise.all([createTestDatabase(), createTestDatabase()]);
    for (const database of databases) {
      const client = new pg.Client(database.url);
      await client.connect();
      const { rows } = await client.query(
        "SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS listens, (SELECT count(*)::int FROM weft_migrations) AS migrations",
      );
      await client.end();
      expect(rows).toEqual([
        { version: 18, encoding: 'UTF8', listens: '127.0.0.1', migrations: expect.any(Number) as unknown },
      ]);
      expect((rows[0] as { migrations: number }).migrations).toBeGreaterThan(0);
    }
    expect(databases[0]?.url).not.toBe(databases[1]?.url);
    await Promise.all(databases.map((database) => database.drop()));
  });

  it('include a Temporal server whose namespace knows the search attributes', async () => {
    const { address, namespace, uiUrl } = testTemporal();
    const connection = await Connection.connect({ address });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    await connection.close();
    expect(Object.keys(customAttributes ?? {})).toEqual(
      expect.arrayContaining(['WeftTenant', 'WeftWorkflow', 'WeftVersion', 'WeftStatus']),
    );
    expect((await fetch(uiUrl)).status).toBe(200);
  });
});
