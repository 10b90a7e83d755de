import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger } from '@temporalio/worker';
import { sharePureModules } from './share-pure-modules.ts';
import { payloadConverterPath, workflowFailureConverterPath } from '../temporal/data-converter.ts';

const interceptorsPath = fileURLToPath(import.meta.resolve('../workflows/interceptors.ts'));
const workflowsPath = fileURLToPath(import.meta.resolve('../workflows/catalogue.ts'));

/** Bundles the workflow code for the sandbox; takes seconds, so it is done once and kept in a file. */
export async function bundleWorkflows(logger?: Logger): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    payloadConverterPath,
    failureConverterPath: workflowFailureConverterPath,
    workflowInterceptorModules: [interceptorsPath],
    webpackConfigHook: (config) => ({ ...config, plugins: [...(config.plugins ?? []), sharePureModules()] }),
    ...(logger ? { logger } : {}),
  });
  return code;
}

/** Writes the bundle in one step, so that a reader never sees half of it. */
export async function buildWorkflowBundle({ outFile }: { outFile: string }, logger?: Logger): Promise<void> {
  const code = await bundleWorkflows(logger);
  await mkdir(dirname(outFile), { recursive: true });
  const partial = `${outFile}.${process.pid}`;
  await writeFile(partial, code);
  await rename(partial, outFile);
}
