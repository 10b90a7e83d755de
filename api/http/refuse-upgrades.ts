import type { IncomingMessage, Server } from 'node:http';

/** Of a request target; `URL` would throw at some, such as `//`. */
export const pathOf = ({ url = '' }: IncomingMessage): string => url.split(/[?#]/, 1)[0] ?? '';

/** Answers upgrades that none of these paths takes; nobody would ever close their sockets. */
export function refuseOtherUpgrades(server: Server, paths: readonly RegExp[]): void {
  server.on('upgrade', (request, socket) => {
    if (paths.some((path) => path.test(pathOf(request)))) return;
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
}
