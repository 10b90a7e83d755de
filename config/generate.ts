/** Writes the files that are made from the settings table (`npm run generate`). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderEnvExample, renderSettingsTable } from './generate-settings-docs.ts';

const root = join(import.meta.dirname, '..');
writeFileSync(join(root, '.env.example'), renderEnvExample());
writeFileSync(join(root, 'docs/settings.md'), renderSettingsTable());
