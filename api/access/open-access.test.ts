import { describe, expect, it } from '@jest/globals';
import { loadSettings } from '../../config/load.ts';
import { isLoopbackHost } from './check-local.ts';
import { checkAccessSettings } from './open-access.ts';

describe('checkAccessSettings', () => {
  const check = (environment: Record<string, string>) => () => checkAccessSettings(loadSettings(environment));

  it('lets nobody in without signing in on an address that others reach', () => {
    expect(check({ WEFT_AUTH: 'off', WEFT_HOST: '0.0.0.0' })).toThrow('WEFT_AUTH');
    expect(check({ WEFT_AUTH: 'off', WEFT_HOST: '127.0.0.1' })).not.toThrow();
    expect(check({ WEFT_AUTH: 'required', WEFT_HOST: '0.0.0.0' })).not.toThrow();
    expect(check({ WEFT_OPERATOR_TOKEN: 'short' })).toThrow('WEFT_OPERATOR_TOKEN');
  });

  it('knows the addresses of this machine alone', () => {
    expect(['127.0.0.1', '127.1.2.3', 'localhost', '::1'].every(isLoopbackHost)).toBe(true);
    expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', 'localhost.example.org'].some(isLoopbackHost)).toBe(
      false,
    );
  });
});
