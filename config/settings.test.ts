import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { renderEnvExample, renderSettingsTable } from './generate-settings-docs.ts';
import { loadSettings, SettingsInvalid } from './load.ts';
import { SETTINGS, type SettingRow } from './settings.ts';

const fromRoot = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8');

describe('the settings', () => {
  it('are what .env.example and docs/settings.md say; `npm run generate` renews them', () => {
    expect(fromRoot('.env.example')).toBe(renderEnvExample());
    expect(fromRoot('docs/settings.md')).toBe(renderSettingsTable());
  });

  it('come from their defaults in an empty environment', () => {
    const settings = loadSettings({});
    for (const [name, row] of Object.entries(SETTINGS)) expect(settings).toHaveProperty(name, row.default);
  });

  it('have defaults that are valid themselves', () => {
    const rows = Object.entries(SETTINGS) as [string, SettingRow][];
    const texts = rows.filter(([, row]) => row.default !== null && !Array.isArray(row.default));
    expect(() =>
      loadSettings(Object.fromEntries(texts.map(([name, row]) => [name, String(row.default)]))),
    ).not.toThrow();
  });

  it('are parsed by their kind', () => {
    const settings = loadSettings({
      PORT: '0',
      TEMPORAL_TLS: 'true',
      WEFT_HTTP_ALLOWED_HOSTS: 'a:1, b,',
      OPENAI_API_KEY: '',
    });
    expect(settings.PORT).toBe(0);
    expect(settings.TEMPORAL_TLS).toBe(true);
    expect(settings.WEFT_HTTP_ALLOWED_HOSTS).toEqual(['a:1', 'b']);
    expect(settings.OPENAI_API_KEY).toBeNull();
  });

  it('take weights as name=number and refuse what is not, or is too much, or comes twice', () => {
    const weights = (text: string) => loadSettings({ WEFT_TENANT_WEIGHTS: text }).WEFT_TENANT_WEIGHTS;
    expect(weights('acme=3, default=0.5,')).toEqual({ acme: 3, default: 0.5 });
    for (const [text, problem] of [
      ['acme', 'must be name=number'],
      ['acme=much', 'must be name=number'],
      ['acme=0', 'acme must be at least 0.001'],
      ['acme=1001', 'acme must be at most 1000'],
      ['acme=1,acme=2', 'names acme twice'],
    ] as const) {
      expect(() => weights(text)).toThrow(`WEFT_TENANT_WEIGHTS: ${problem}`);
    }
  });

  it('make the process compute in UTC wherever it runs', () => {
    const script = "await import('./config/load.ts'); console.log(new Date('2024-01-01T00:00:00').toISOString())";
    const env = { ...process.env, TZ: 'America/New_York', NODE_OPTIONS: '' };
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
    expect(said.trim()).toBe('2024-01-01T00:00:00.000Z');
  });

  it('name every bad value at once', () => {
    const bad = { PORT: '70000', GATEWAY_PORT: '4000.5', TEMPORAL_TLS: 'maybe', WEFT_LOG_LEVEL: 'loud' };
    const problems = [
      expect.stringContaining('PORT: must be at most 65535'),
      expect.stringContaining('GATEWAY_PORT: must be a whole number'),
      expect.stringContaining('TEMPORAL_TLS: must be true or false'),
      expect.stringContaining('WEFT_LOG_LEVEL: must be one of'),
    ];
    let thrown: unknown;
    try {
      loadSettings(bad);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SettingsInvalid);
    expect((thrown as SettingsInvalid).problems).toHaveLength(4);
    expect((thrown as SettingsInvalid).problems).toEqual(expect.arrayContaining(problems));
  });
});
