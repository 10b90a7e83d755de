import type { Caller } from '../access-policies.ts';
import type { CachePolicy } from './cache-policy.ts';

type Restrictable = { restrict: (hint: { maxAge: number; scope: 'PRIVATE' | 'PUBLIC' }) => void };

/** What is answered where callers sign in is for nobody else's eyes, whatever subgraphs say. */
export function restrictPolicy(
  overall: Restrictable | undefined,
  { maxAge, private: isPrivate }: CachePolicy,
  caller: Caller | undefined,
): void {
  overall?.restrict({ maxAge, scope: isPrivate || caller !== undefined ? 'PRIVATE' : 'PUBLIC' });
}
