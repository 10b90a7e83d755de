import type { AddressInfo } from 'node:net';
import { createShop } from './create-shop.ts';

const port = Number(process.argv[2] ?? 8090);
const server = createShop().app.listen(port, '127.0.0.1', () => {
  const { port: taken } = server.address() as AddressInfo;
  process.stdout.write(`The shop is at http://127.0.0.1:${taken}\n`);
});
