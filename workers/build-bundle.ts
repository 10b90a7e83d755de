/** `node workers/build-bundle.ts <file>`: writes the workflow bundle that worker processes load. */
import { loadSettings } from '../config/load.ts';
import { buildWorkflowBundle } from './bundle.ts';

const outFile = process.argv[2];
if (outFile === undefined) {
  process.stderr.write('usage: build-bundle.ts <file>\n');
  process.exit(2);
}
await buildWorkflowBundle({ outFile, codeDir: loadSettings().WEFT_CODE_DIR });
