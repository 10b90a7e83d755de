import { readFile } from 'node:fs/promises';
import type { WorkflowBundleOption } from '@temporalio/worker';

const READABLE = "'weft-failure-messages:readable'";
const ENCODED = "'weft-failure-messages:encoded'";

/** The bundle whose workflows encode messages and stacks of failures. The text of one does not change with its settings otherwise. */
export async function encodeFailureMessages(bundle: WorkflowBundleOption): Promise<WorkflowBundleOption> {
  const code = 'code' in bundle ? bundle.code : await readFile(bundle.codePath, 'utf8');
  return { code: code.replaceAll(READABLE, ENCODED) };
}
