/** Writes the pages of docs/ that are made from tables in the code; part of `npm run generate`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderErrorsPage } from './errors-page.ts';

writeFileSync(join(import.meta.dirname, '../docs/errors.md'), renderErrorsPage());
