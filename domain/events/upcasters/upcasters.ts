import { LEGACY_UPCASTERS } from './legacy-upcasters.ts';
import type { Upcasters } from './upcast.ts';

/** Applied to every event that is read. */
export const UPCASTERS: Upcasters = { ...LEGACY_UPCASTERS };
