import { mkdir, mkdtemp, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger } from '@temporalio/worker';
import { codeFiles } from './code-workflows.ts';
import { keepSyntax } from './keep-syntax.ts';
import { sharePureModules } from './share-pure-modules.ts';
import { payloadConverterPath, workflowFailureConverterPath } from '../temporal/data-converter.ts';

const interceptorsPath = fileURLToPath(import.meta.resolve('../workflows/interceptors.ts'));
const workflowsPath = fileURLToPath(import.meta.resolve('../workflows/catalogue.ts'));

const ownPackages = fileURLToPath(new URL('../node_modules', import.meta.url));

/** Bundles the workflow code for the sandbox; takes seconds, so it is done once and kept in a file. */
export async function bundleWorkflows(logger?: Logger, codeDir: string | null = null): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: codeDir === null ? workflowsPath : await joinedCatalogue(codeDir),
    payloadConverterPath,
    failureConverterPath: workflowFailureConverterPath,
    workflowInterceptorModules: [interceptorsPath],
    webpackConfigHook: (config) => ({
      ...config,
      module: keepSyntax(config.module),
      // Last, for an entry that lies outside of this repository.
      resolve: { ...config.resolve, modules: ['node_modules', ownPackages] },
      plugins: [...(config.plugins ?? []), sharePureModules()],
    }),
    ...(logger ? { logger } : {}),
  });
  return code;
}

/** One module with the product's workflows and those written by hand: the bundler takes no more. */
async function joinedCatalogue(codeDir: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-workflows-'));
  const file = join(folder, 'catalogue.ts');
  const modules = [workflowsPath, codeFiles(codeDir).workflows];
  await writeFile(file, modules.map((path) => `export * from ${JSON.stringify(path)};\n`).join(''));
  return file;
}

/** Writes the bundle in one step, so that a reader never sees half of it. */
export async function buildWorkflowBundle(
  { outFile, codeDir = null }: { outFile: string; codeDir?: string | null },
  logger?: Logger,
): Promise<void> {
  const code = await bundleWorkflows(logger, codeDir);
  await mkdir(dirname(outFile), { recursive: true });
  const partial = `${outFile}.${process.pid}`;
  await writeFile(partial, code);
  await rename(partial, outFile);
}
