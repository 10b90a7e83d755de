import { once } from 'node:events';
import type { RequestHandler } from 'express';
import { exportTenant } from '../../adapters/postgres/export-tenant.ts';
import { demand } from '../../domain/access/allow.ts';
import { AppError } from '../../domain/errors.ts';
import { recordEvents } from '../../adapters/postgres/record-events.ts';
import { accessEvent } from './audit.ts';
import type { Access } from './open-access.ts';
import { readTenant } from './tenants.ts';

/** JSON lines: `{table, row}` for each row of the tenant. */
export function exportRoute({ deps, atTheDoor }: Access): RequestHandler {
  return async (request, response) => {
    const principal = await atTheDoor(request);
    demand(principal, 'tenants:admin', 'exportTenant');
    const id = String(request.params['id']);
    const tenant = await readTenant(deps, id);
    if (!tenant) throw new AppError('NOT_FOUND', { what: 'tenant', id });
    const event = accessEvent('access.tenant_changed', principal, id, { detail: { exported: true } });
    await recordEvents(deps.pool, tenant.tenantId, [event]);
    response.writeHead(200, {
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-store',
      'content-disposition': `attachment; filename="${tenant.tenantId}.ndjson"`,
    });
    await exportTenant(deps.pool, tenant.tenantId, async (rows) => {
      if (response.destroyed) throw new AppError('INTERNAL', { detail: 'the client is gone' });
      if (!response.write(`${rows.map((row) => JSON.stringify(row)).join('\n')}\n`)) await once(response, 'drain');
    });
    response.end();
  };
}
