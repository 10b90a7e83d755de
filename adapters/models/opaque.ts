/** Marks what only one vendor can read, so that another one that takes over a conversation leaves it out. */
export const sealFor = (vendor: string, data: string): string => `${vendor}:${data}`;

export function unsealFor(vendor: string, opaque: string | undefined): string | null {
  return opaque?.startsWith(`${vendor}:`) ? opaque.slice(vendor.length + 1) : null;
}
