import { expect, it } from '@jest/globals';
import { defaultProvider } from './default-provider.ts';

it('takes the provider that is set, else openai where there is a key, else offline-extractive', () => {
  expect(defaultProvider('offline-extractive', 'sk-1')).toBe('offline-extractive');
  expect(defaultProvider(null, 'sk-1')).toBe('openai');
  expect(defaultProvider(null, null)).toBe('offline-extractive');
});
