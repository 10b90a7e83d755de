export type LockEntry = { version?: string; dev?: boolean; optionalDependencies?: Record<string, string> };
export type LockPackages = Record<string, LockEntry>;

/** Optional dependencies without an entry of their own among the `packages` of a lock file. */
export function missingOptionalPackages(
  packages: LockPackages,
): { name: string; version: string; dev: { dev?: true } }[] {
  return Object.entries(packages).flatMap(([path, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !isResolved(packages, path, name))
      .map(([name, version]) => ({ name, version, dev: entry.dev ? { dev: true as const } : {} })),
  );
}

function isResolved(packages: LockPackages, path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in packages) return true;
    if (folder === '') return false;
  }
}
