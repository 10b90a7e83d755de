import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type pg from 'pg';
import { publishDefinition, readDefinition } from '../adapters/postgres/definition-store.ts';
import { AppError } from '../domain/errors.ts';
import { DEFAULT_TENANT, definitionHash, workflowId } from '../domain/identifiers.ts';
import { canonicalJson } from '../domain/runs/canonical-json.ts';
import { codeDefinition, isCode } from '../domain/runs/code-workflow.ts';
import { RUN_WORKFLOW_TYPE } from '../domain/runs/messages.ts';
import { contentHash } from '../temporal/content-hash.ts';

export type Code = { workflows: readonly string[]; activities: Record<string, unknown> };
type Module = Record<string, unknown>;

/** The modules of workflows written by hand, and of their activities. @throws AppError SETUP_INCOMPLETE */
export function codeFiles(codeDir: string): { workflows: string; activities: string | null } {
  const found = (name: string) =>
    ['ts', 'js', 'mjs'].map((end) => join(resolve(codeDir), `${name}.${end}`)).find(existsSync);
  const workflows = found('workflows');
  if (workflows === undefined) {
    throw new AppError('SETUP_INCOMPLETE', { detail: `WEFT_CODE_DIR ${codeDir} has no workflows.ts or workflows.js` });
  }
  return { workflows, activities: found('activities') ?? null };
}

/** Every exported function is a workflow, or an activity. */
export async function loadCode(codeDir: string | null): Promise<Code> {
  if (codeDir === null) return { workflows: [], activities: {} };
  const files = codeFiles(codeDir);
  const load = async (file: string) => (await import(pathToFileURL(file).href)) as Module;
  const functions = (module: Module) => Object.entries(module).filter(([, value]) => typeof value === 'function');
  const [workflows, activities] = await Promise.all([
    load(files.workflows),
    files.activities ? load(files.activities) : {},
  ]);
  const names = functions(workflows).map(([name]) => name);
  if (names.includes(RUN_WORKFLOW_TYPE)) {
    throw new AppError('SETUP_INCOMPLETE', {
      detail: `${files.workflows}: the workflow type ${RUN_WORKFLOW_TYPE} is taken`,
    });
  }
  return { workflows: names, activities: Object.fromEntries(functions(activities)) };
}

/** Makes them known as workflows of the default tenant, so that they can be listed and started. */
export async function registerCode(database: pg.Pool, workflows: readonly string[]): Promise<void> {
  for (const type of workflows) {
    const definition = codeDefinition(type);
    const earlier = await readDefinition(database, DEFAULT_TENANT, workflowId(definition.name));
    if (earlier && !isCode(earlier.definition)) {
      const detail = `The workflow ${type} would be known as ${definition.name}, which is the name of a published definition`;
      throw new AppError('SETUP_INCOMPLETE', { detail });
    }
    const hash = definitionHash(contentHash(canonicalJson(definition)));
    await publishDefinition(database, { tenantId: DEFAULT_TENANT, hash, definition });
  }
}
