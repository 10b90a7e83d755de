import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type LockPackages, missingOptionalPackages } from './missing-optional-packages.ts';

describe('missingOptionalPackages', () => {
  it('finds nothing in the lock file of this repository; `npm run lock` completes it', () => {
    const text = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8');
    expect(missingOptionalPackages((JSON.parse(text) as { packages: LockPackages }).packages)).toEqual([]);
  });

  it('looks for a package beside its parent and in every folder above', () => {
    const packages: LockPackages = {
      'node_modules/a': { version: '1.0.0', optionalDependencies: { b: '1.0.0', c: '2.0.0', d: '3.0.0' } },
      'node_modules/a/node_modules/b': { version: '1.0.0' },
      'node_modules/c': { version: '2.0.0' },
    };
    expect(missingOptionalPackages(packages)).toEqual([{ name: 'd', version: '3.0.0', dev: {} }]);
  });
});
