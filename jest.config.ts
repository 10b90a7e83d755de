import type { Config } from 'jest';

const base = {
  rootDir: '.',
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json', 'node'],
  testPathIgnorePatterns: ['/node_modules/', '/.weft/', '/web/'],
  modulePathIgnorePatterns: ['<rootDir>/.weft/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
} satisfies Config;

const servers = {
  globalSetup: '<rootDir>/tests/start-servers.ts',
  globalTeardown: '<rootDir>/tests/stop-servers.ts',
  setupFiles: ['<rootDir>/tests/quiet-temporal.ts'],
};

const config: Config = {
  /** Only against hanging: a busy machine must not fail a test. */
  testTimeout: 60_000,
  reporters: ['default', '<rootDir>/tests/count-reporter.mjs'],
  projects: [
    { ...base, displayName: 'unit', testRegex: ['(?<!\\.(int|e2e))\\.test\\.ts$'] },
    { ...base, ...servers, displayName: 'int', testRegex: ['\\.int\\.test\\.ts$'] },
    { ...base, ...servers, displayName: 'e2e', testRegex: ['\\.e2e\\.test\\.ts$'] },
  ],
};

export default config;
