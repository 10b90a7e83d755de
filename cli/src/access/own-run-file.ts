import { loadSettings } from '../../../config/load.ts';
import { readRunFile, type RunFile } from '../run-file.ts';

/** Of the `weft start` whose data folder the settings name. Null when nothing runs there. */
export function ownRunFile(): Partial<RunFile> | null {
  try {
    return readRunFile(loadSettings().WEFT_DATA_DIR);
  } catch {
    // Bad settings are told by what needs them; the address of a command has a default.
    return null;
  }
}
