import { AppError } from '../../domain/errors.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { Patches } from '../../domain/runs/rerun/build-seed.ts';
import { argumentInvalid } from '../graphql/connection.ts';

const FIELDS = ['input', 'variables', 'nodes'];

/** `{input, variables: {name: value}, nodes: {id: {output, port}}}`, each of them or none. @throws INPUT_INVALID */
export function parsePatches(value: Json | undefined): Patches {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw argumentInvalid('patches', 'must be an object');
  const unknown = Object.keys(value).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw argumentInvalid('patches', `has no field ${unknown}, but ${FIELDS.join(', ')}`);
  const { input, variables, nodes } = value;
  if (variables !== undefined && !isJsonObject(variables)) {
    throw argumentInvalid('patches.variables', 'must be an object of values by name');
  }
  return {
    ...(input === undefined ? {} : { input }),
    ...(variables === undefined ? {} : { variables }),
    ...(nodes === undefined ? {} : { nodes: parseNodes(nodes) }),
  };
}

function parseNodes(value: Json): NonNullable<Patches['nodes']> {
  if (!isJsonObject(value)) throw argumentInvalid('patches.nodes', 'must be an object of results by node id');
  return Object.fromEntries(
    Object.entries(value).map(([id, result]) => {
      const { output, port } = isJsonObject(result) ? result : {};
      if (output === undefined || (port !== undefined && typeof port !== 'string')) {
        throw argumentInvalid(`patches.nodes.${id}`, 'must be {output} or {output, port}');
      }
      return [id, { output, ...(port === undefined ? {} : { port }) }];
    }),
  );
}

export function rerunRefused(runId: string, detail: string): AppError {
  return new AppError('RERUN_REFUSED', { runId, detail });
}
