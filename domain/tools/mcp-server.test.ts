import { describe, expect, it } from '@jest/globals';
import { checkMcpServer, MCP_DEFAULTS, type NewMcpServer } from './mcp-server.ts';

const server = (fields: Partial<NewMcpServer>): NewMcpServer => ({
  ...MCP_DEFAULTS,
  id: 'one',
  transport: 'http',
  command: null,
  args: [],
  endpoints: [],
  allowedTools: null,
  idempotentTools: [],
  enabled: true,
  ...fields,
});
const at = (url: string, fields: Partial<NewMcpServer> = {}) => server({ endpoints: [{ url, weight: 1 }], ...fields });

describe('checkMcpServer', () => {
  it.each(['http://a', 'https://a.example:8443/mcp?x=1', 'HTTPS://A.example', 'http://[::1]:3000/mcp'])(
    'takes %s',
    (url) => expect(() => checkMcpServer(at(url))).not.toThrow(),
  );

  it.each([
    '',
    'a.example',
    'ws://a.example',
    'file:///etc/passwd',
    'http://',
    'http:// a',
    'https://me:word@a.example',
  ])('refuses %j', (url) => expect(() => checkMcpServer(at(url))).toThrow(/endpoints\/0\/url/));

  it('takes WebSocket addresses for a WebSocket alone', () => {
    expect(() => checkMcpServer(at('wss://a.example', { transport: 'websocket' }))).not.toThrow();
    expect(() => checkMcpServer(at('https://a.example', { transport: 'websocket' }))).toThrow(/ws:\/\//);
  });

  it('bounds its numbers', () => {
    for (const fields of [{ timeoutMs: 1 }, { poolSize: 0 }, { maxResultBytes: 1e12 }, { timeoutMs: 1.5 }]) {
      expect(() => checkMcpServer(at('http://a', fields))).toThrow(/must be/);
    }
  });
});
