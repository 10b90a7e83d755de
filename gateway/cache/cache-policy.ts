/** How long an answer may be kept, and whether for its caller alone. */
export type CachePolicy = { maxAge: number; private: boolean };

export const UNCACHEABLE: CachePolicy = { maxAge: 0, private: false };

/** What a subgraph says by its `Cache-Control`; what says nothing may not be kept. */
export function cachePolicy(header: string | undefined): CachePolicy {
  if (header === undefined) return UNCACHEABLE;
  const parts = header
    .toLowerCase()
    .split(',')
    .map((part) => part.trim());
  if (parts.includes('no-store') || parts.includes('no-cache')) return UNCACHEABLE;
  const ages = parts.flatMap((part) => /^(?:s-)?max-?age="?(\d{1,9})"?$/.exec(part)?.[1] ?? []);
  return { maxAge: ages.length === 0 ? 0 : Math.min(...ages.map(Number)), private: parts.includes('private') };
}
