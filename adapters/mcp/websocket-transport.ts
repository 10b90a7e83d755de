import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { WebSocket } from 'ws';

/**
 * MCP over a WebSocket, one JSON-RPC message a text frame, subprotocol `mcp`. No part of the standard: for servers that
 * offer it, as the system that Weft re-creates did.
 */
export class WebSocketTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #maxBytes: number;
  #socket: WebSocket | null = null;

  constructor(url: string, headers: Readonly<Record<string, string>>, maxBytes: number) {
    this.#url = url;
    this.#headers = headers;
    this.#maxBytes = maxBytes;
  }

  start(): Promise<void> {
    const socket = new WebSocket(this.#url, 'mcp', {
      headers: this.#headers,
      maxPayload: this.#maxBytes,
      followRedirects: false,
    });
    this.#socket = socket;
    socket.on('message', (data) => {
      try {
        this.onmessage?.(JSON.parse(String(data)) as JSONRPCMessage);
      } catch (error) {
        this.onerror?.(error as Error);
      }
    });
    socket.on('close', () => this.onclose?.());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('open', resolve);
    socket.on('error', (error) => {
      reject(error);
      this.onerror?.(error);
    });
    return promise;
  }

  send(message: JSONRPCMessage): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#socket === null) reject(new TypeError('the transport has not started'));
    else this.#socket.send(JSON.stringify(message), (error) => (error ? reject(error) : resolve()));
    return promise;
  }

  close(): Promise<void> {
    this.#socket?.close();
    return Promise.resolve();
  }
}
