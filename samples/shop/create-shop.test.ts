import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createShop } from './create-shop.ts';

describe('the shop of the samples', () => {
  const shop = createShop();
  let server: Server;
  let url = '';

  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      server = shop.app.listen(0, '127.0.0.1', () => resolve());
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  const call = async (method: string, path: string, body?: unknown, key?: string) => {
    const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) };
    const response = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('reserves, charges and sends', async () => {
    const reserved = await call('POST', '/reservations', { orderId: 'O1', sku: 'lamp', quantity: 2 });
    expect(reserved).toEqual({ status: 201, body: { id: 'r1', price: 40 } });
    expect(shop.stock.get('lamp')).toBe(98);
    expect(await call('POST', '/charges', { orderId: 'O1', card: '4242', amount: 40 })).toMatchObject({
      status: 201,
      body: { id: 'c1' },
    });
    expect(await call('POST', '/parcels', { orderId: 'O1', reservation: 'r1' })).toMatchObject({
      status: 201,
      body: { id: 'p1' },
    });
  });

  it('gives the same answer for the same key and does the work once', async () => {
    const order = { orderId: 'O2', sku: 'desk', quantity: 1 };
    const first = await call('POST', '/reservations', order, 'key-1');
    expect(await call('POST', '/reservations', order, 'key-1')).toEqual(first);
    expect(shop.stock.get('desk')).toBe(9);
  });

  it('undoes what it did', async () => {
    await call('DELETE', '/reservations/r2');
    await call('POST', '/charges/c1/refund');
    expect(shop.stock.get('desk')).toBe(10);
    expect(shop.charges.get('c1')).toMatchObject({ refunded: true });
  });

  it('refuses what it cannot do', async () => {
    expect(await call('POST', '/reservations', { orderId: 'O3', sku: 'desk', quantity: 99 })).toMatchObject({
      status: 409,
    });
    expect(await call('POST', '/charges', { orderId: 'O3', card: '4000', amount: 1 })).toMatchObject({ status: 402 });
    const { body } = await call('POST', '/reservations', { orderId: 'O3', sku: 'chair', quantity: 1 });
    expect(await call('POST', '/parcels', { orderId: 'O3', reservation: body['id'] })).toMatchObject({ status: 409 });
  });

  it('tells the sales of a day page by page', async () => {
    const first = await call('GET', '/sales?day=2026-03-03&cursor=');
    expect(first.body).toMatchObject({ sales: [{ sku: 'lamp' }, { sku: 'desk' }], next: '2' });
    expect((await call('GET', '/sales?day=2026-03-03&cursor=2')).body).toMatchObject({
      sales: [{ sku: 'chair' }],
      next: null,
    });
    expect((await call('GET', '/sales?day=2026-03-01')).body).toEqual({ sales: [], next: null });
  });
});
