import { AppError } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import type { JsonSchema, Mapping, NodeDefinition, RunPolicies } from '../../runs/definition.ts';
import {
  type Assembly,
  idOf,
  type ImportResult,
  nameOf,
  newAssembly,
  placeholder,
  type TriggerSuggestion,
} from './imported.ts';
import type { JqScope } from './jq-to-cel.ts';
import { importTask, retryOf, type TaskReading } from './serverless-task.ts';
import { conditionToCel, durationOf, valueToMapping } from './serverless-values.ts';
import { cannot } from './tokens.ts';

/** A way into the next task: a port of a node, or the beginning (null), and where the data is. */
type Exit = { from: string | null; port: string | null; data: string };
type Around = { parent: string | null; variables: ReadonlyMap<string, string>; retry: NodeDefinition['retry'] | null };
type Import = Assembly & { ids: Set<string>; use: JsonObject; usesContext: boolean };

/** A document of CNCF Serverless Workflow 1.0 as a definition, and everything that is not the same. @throws MAPPING_INVALID */
export function importServerless(value: Json): ImportResult {
  const document = isJsonObject(value) ? value['document'] : undefined;
  if (!isJsonObject(value) || !isJsonObject(document) || !Array.isArray(value['do'])) {
    throw cannot('a Serverless Workflow 1.0 has document and do');
  }
  const work: Import = {
    ...newAssembly(),
    ids: new Set(),
    use: isJsonObject(value['use']) ? value['use'] : {},
    usesContext: false,
  };
  const around: Around = { parent: null, variables: new Map(), retry: null };
  const exits = importList(work, value['do'], [{ from: null, port: null, data: 'input' }], around);
  const name = nameOf(String(document['name'] ?? 'imported'));
  work.triggers.push(...triggersOf(value['schedule'], name));
  const output = outputOf(work, value['output'], exits);
  const policies = policiesOf(value['timeout']);
  const schema = inputSchema(value['input']);
  if (work.nodes.length === 0) work.nodes.push({ id: 'nothing', type: 'transform', config: { value: 'input' } });
  const definition = {
    name,
    ...(typeof document['summary'] === 'string' ? { description: document['summary'] } : {}),
    ...(schema === undefined ? {} : { input: schema }),
    ...(work.usesContext ? { variables: { context: {} } } : {}),
    nodes: work.nodes,
    edges: work.edges,
    ...(output === undefined ? {} : { output }),
    ...(policies === undefined ? {} : { policies }),
  };
  return { definition, unmapped: work.unmapped, triggers: work.triggers };
}

function inputSchema(input: Json | undefined): JsonSchema | undefined {
  const schema = isJsonObject(input) && isJsonObject(input['schema']) ? input['schema']['document'] : undefined;
  return isJsonObject(schema) ? schema : undefined;
}

function policiesOf(timeout: Json | undefined): RunPolicies | undefined {
  const runTimeoutMs = isJsonObject(timeout) ? durationOf(timeout['after']) : null;
  return runTimeoutMs === null || runTimeoutMs === 0 ? undefined : { runTimeoutMs };
}

function outputOf(work: Import, output: Json | undefined, exits: readonly Exit[]): Mapping | undefined {
  const [first] = exits;
  if (first === undefined) return undefined;
  const data = exits.every((exit) => exit.data === first.data)
    ? first.data
    : joined(work, exits, { parent: null, variables: new Map(), retry: null }).data;
  const as = isJsonObject(output) ? output['as'] : undefined;
  if (as === undefined) return data;
  return attempt(work, 'output', () => valueToMapping(as, scopeOf(work, data, new Map())) as Mapping) ?? data;
}

function triggersOf(schedule: Json | undefined, workflow: string): TriggerSuggestion[] {
  if (!isJsonObject(schedule)) return [];
  if (typeof schedule['cron'] === 'string') {
    return [
      {
        kind: 'schedule',
        detail: schedule['cron'],
        command: `weft schedule create ${workflow} --cron "${schedule['cron']}"`,
      },
    ];
  }
  const kind = schedule['on'] === undefined ? 'schedule' : 'event';
  return [{ kind, detail: JSON.stringify(schedule), command: null }];
}

function scopeOf(work: Import, data: string, variables: ReadonlyMap<string, string>): JqScope {
  return {
    data,
    variable: (name) => {
      if (name === 'context') {
        work.usesContext = true;
        return 'vars.context';
      }
      if (name === 'workflow') return 'run';
      return name === 'input' ? data : (variables.get(name) ?? null);
    },
  };
}

/** What cannot be said in CEL is noted; undefined then. */
function attempt<Value>(work: Import, node: string, make: () => Value): Value | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    work.unmapped.push({ node, reason: String(error.fields['detail'] ?? error.message), todo: 'Write it in CEL.' });
    return undefined;
  }
}

/** Tasks one after the other, with what `then` and `if` say. Gives the ways out of the list. */
function importList(work: Import, list: readonly Json[], start: readonly Exit[], around: Around): Exit[] {
  const tasks = list.flatMap((entry) => (isJsonObject(entry) ? Object.entries(entry).slice(0, 1) : []));
  const names = tasks.map(([name]) => name);
  const incoming: Exit[][] = tasks.map(() => []);
  const leaving: Exit[] = [];
  const flow = (index: number, then: Json | undefined, exits: readonly Exit[]): void => {
    if (then === 'end') return;
    if (then === 'exit') return void leaving.push(...exits);
    const target = typeof then === 'string' && then !== 'continue' ? names.indexOf(then) : index + 1;
    if (target >= 0 && target <= index) {
      work.unmapped.push({
        node: names[index] as string,
        reason: `it goes back to ${String(then)}`,
        todo: 'Build the cycle as a loop node.',
      });
    } else if (target < 0)
      work.unmapped.push({
        node: names[index] as string,
        reason: `there is no task ${String(then)}`,
        todo: 'Add the edge.',
      });
    else (incoming[target] ?? leaving).push(...exits);
  };
  flow(-1, undefined, start);
  for (const [index, [name, task]] of tasks.entries()) {
    const into = incoming[index] as Exit[];
    if (into.length === 0) {
      work.unmapped.push({ node: name, reason: 'no task leads to it', todo: 'Remove it, or add an edge.' });
      continue;
    }
    importOne(work, name, isJsonObject(task) ? task : {}, joined(work, into, around), around, (then, exits) =>
      flow(index, then, exits),
    );
  }
  return leaving;
}

type Flow = (then: Json | undefined, exits: readonly Exit[]) => void;

/** One way in: where several meet, a merge. */
function joined(work: Import, exits: readonly Exit[], around: Around): Exit {
  const [first] = exits;
  if (exits.length === 1 && first) return first;
  const id = newId(work, 'join');
  add(work, { id, type: 'merge', config: { mode: 'first' } }, around);
  for (const exit of exits) connect(work, exit, id);
  const same = exits.every((exit) => exit.data === first?.data);
  return { from: id, port: 'out', data: same && first ? first.data : `nodes.${id}.output` };
}

function newId(work: Import, name: string): string {
  const id = idOf(name, work.ids);
  work.ids.add(id);
  return id;
}

function add(work: Import, node: NodeDefinition, { parent }: Around): void {
  const { id, ...rest } = node;
  work.nodes.push({ id, ...(parent === null ? {} : { parent }), ...rest });
}

const SINGLE = new Set(['transform', 'merge', 'delay', 'http', 'emit', 'map', 'subworkflow', 'set', 'fail']);

function connect(work: Import, { from, port }: Exit, to: string): void {
  if (from === null) return;
  const source = work.nodes.find((node) => node.id === from);
  const plain = port === 'out' && source !== undefined && SINGLE.has(source.type);
  work.edges.push({ from, to, ...(plain || port === null ? {} : { port }) });
}

function importOne(work: Import, name: string, task: JsonObject, into: Exit, around: Around, flow: Flow): void {
  let entry = into;
  if (typeof task['if'] === 'string') {
    const condition = attempt(work, name, () =>
      conditionToCel(String(task['if']), scopeOf(work, into.data, around.variables)),
    );
    if (condition !== undefined) {
      const id = newId(work, `${name} if`);
      add(work, { id, type: 'branch', config: { condition } }, around);
      connect(work, into, id);
      entry = { from: id, port: 'true', data: into.data };
      flow(undefined, [{ from: id, port: 'false', data: into.data }]);
    }
  }
  const exits =
    task['switch'] === undefined
      ? importBody(work, name, task, entry, around)
      : importSwitch(work, name, task['switch'], entry, around, flow);
  flow(task['then'], exportContext(work, name, task, transformed(work, name, task, exits, around), around));
}

/** `output.as` of a task. */
function transformed(work: Import, name: string, task: JsonObject, exits: Exit[], around: Around): Exit[] {
  const as = isJsonObject(task['output']) ? task['output']['as'] : undefined;
  if (as === undefined || exits.length === 0) return exits;
  const exit = joined(work, exits, around);
  const value = attempt(work, name, () => valueToMapping(as, scopeOf(work, exit.data, around.variables)));
  if (value === undefined) return [exit];
  const id = newId(work, `${name} output`);
  add(work, { id, type: 'transform', config: { value } }, around);
  connect(work, exit, id);
  return [{ from: id, port: 'out', data: `nodes.${id}.output` }];
}

function exportContext(work: Import, name: string, task: JsonObject, exits: Exit[], around: Around): Exit[] {
  const as = isJsonObject(task['export']) ? task['export']['as'] : undefined;
  if (as === undefined || exits.length === 0) return exits;
  const exit = joined(work, exits, around);
  const context = attempt(work, name, () => valueToMapping(as, scopeOf(work, exit.data, around.variables)));
  if (context === undefined) return [exit];
  work.usesContext = true;
  const id = newId(work, `${name} export`);
  add(work, { id, type: 'set', config: { values: { context } } }, around);
  connect(work, exit, id);
  return [{ from: id, port: 'out', data: exit.data }];
}

function importSwitch(work: Import, name: string, value: Json, into: Exit, around: Around, flow: Flow): Exit[] {
  const scope = scopeOf(work, into.data, around.variables);
  const id = newId(work, name);
  const entries = (Array.isArray(value) ? value : []).flatMap((one) =>
    isJsonObject(one) ? Object.entries(one).slice(0, 1) : [],
  );
  const cases: { port: string; when: string }[] = [];
  let otherwise: Json | undefined;
  const ways: [Json | undefined, string][] = [];
  for (const [label, one] of entries) {
    if (!isJsonObject(one)) continue;
    if (typeof one['when'] !== 'string') {
      otherwise = one['then'] ?? 'continue';
      continue;
    }
    const when = attempt(work, name, () => conditionToCel(String(one['when']), scope));
    if (when === undefined) continue;
    const port = idOf(label === 'default' ? 'case default' : label, new Set(cases.map((known) => known.port)));
    cases.push({ port, when });
    ways.push([one['then'], port]);
  }
  add(
    work,
    cases.length > 0
      ? { id, type: 'switch', name, config: { cases } }
      : placeholder(id, name, 'none of its cases has CEL'),
    around,
  );
  connect(work, into, id);
  for (const [then, port] of ways) flow(then, [{ from: id, port, data: into.data }]);
  // What fits no case goes on to the next task.
  if (cases.length > 0) flow(otherwise, [{ from: id, port: 'default', data: into.data }]);
  return [];
}

function importBody(work: Import, name: string, task: JsonObject, into: Exit, around: Around): Exit[] {
  if (Array.isArray(task['do']) && task['for'] === undefined) return importList(work, task['do'], [into], around);
  if (task['for'] !== undefined) return importFor(work, name, task, into, around);
  if (task['fork'] !== undefined) return importFork(work, name, task['fork'], into, around);
  if (task['try'] !== undefined) return importTry(work, name, task, into, around);
  const id = newId(work, name);
  const computedId = newId(work, `${name} values`);
  const at: TaskReading = {
    scope: scopeOf(work, into.data, around.variables),
    valuesId: computedId,
    reusable: (kind, of) => (isJsonObject(work.use[kind]) ? work.use[kind][of] : undefined),
    remark: (reason, todo) => void work.unmapped.push({ node: name, reason, todo }),
  };
  const imported = tryTask(work, name, id, task, at);
  let entry = into;
  if (Object.keys(imported.computed).length > 0) {
    add(work, { id: computedId, type: 'transform', config: { value: imported.computed } }, around);
    connect(work, into, computedId);
    entry = { from: computedId, port: 'out', data: into.data };
  } else work.ids.delete(computedId);
  const { type, config } = imported;
  const retry = type === 'http' || type === 'emit' ? around.retry : null;
  add(work, { id, type, name, ...(config === undefined ? {} : { config }), ...(retry ? { retry } : {}) }, around);
  connect(work, entry, id);
  if (imported.port === null) return [];
  return [{ from: id, port: imported.port, data: imported.data === null ? into.data : `nodes.${id}.${imported.data}` }];
}

function tryTask(
  work: Import,
  name: string,
  id: string,
  task: JsonObject,
  at: TaskReading,
): NonNullable<ReturnType<typeof importTask>> {
  const refuse = (reason: string) => {
    work.unmapped.push({ node: name, reason, todo: `Replace node ${id}, which fails when a run comes to it.` });
    const { type, config } = placeholder(id, name, reason);
    return { type, ...(config === undefined ? {} : { config }), data: 'output' as const, port: 'out', computed: {} };
  };
  try {
    return (
      importTask(task, at) ?? refuse(`there is no counterpart of ${Object.keys(task).join(', ') || 'an empty task'}`)
    );
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return refuse(String(error.fields['detail'] ?? error.message));
  }
}

function importFor(work: Import, name: string, task: JsonObject, into: Exit, around: Around): Exit[] {
  const loop = isJsonObject(task['for']) ? task['for'] : {};
  const items = attempt(work, name, () =>
    conditionToCel(String(loop['in'] ?? '.'), scopeOf(work, into.data, around.variables)),
  );
  const id = newId(work, name);
  if (task['while'] !== undefined) {
    work.unmapped.push({
      node: name,
      reason: 'it ends early by while',
      todo: 'Filter the items, or build it as a loop.',
    });
  }
  add(work, { id, type: 'map', name, config: { items: items ?? '[]', concurrency: 1 } }, around);
  connect(work, into, id);
  const variables = new Map(around.variables);
  variables.set(String(loop['each'] ?? 'item'), 'item');
  variables.set(String(loop['at'] ?? 'index'), 'index');
  importList(work, Array.isArray(task['do']) ? task['do'] : [], [{ from: null, port: null, data: into.data }], {
    ...around,
    parent: id,
    variables,
  });
  return [{ from: id, port: 'out', data: `nodes.${id}.output.results` }];
}

function importFork(work: Import, name: string, fork: Json, into: Exit, around: Around): Exit[] {
  const branches = isJsonObject(fork) && Array.isArray(fork['branches']) ? fork['branches'] : [];
  if (isJsonObject(fork) && fork['compete'] === true) {
    work.unmapped.push({
      node: name,
      reason: 'its branches compete: the first one wins',
      todo: 'Here all are waited for.',
    });
  }
  // Branches begin at one node each, so that each reads what came in.
  const ends = branches
    .map((branch) => importList(work, [branch], [into], around))
    .map((exits) => joined(work, exits, around));
  const id = newId(work, name);
  add(work, { id, type: 'merge', name, config: { mode: 'list' } }, around);
  for (const end of ends) connect(work, end, id);
  return [{ from: id, port: 'out', data: `nodes.${id}.output` }];
}

function importTry(work: Import, name: string, task: JsonObject, into: Exit, around: Around): Exit[] {
  const caught = isJsonObject(task['catch']) ? task['catch'] : {};
  const id = newId(work, name);
  const reusable: TaskReading['reusable'] = (kind, of) =>
    isJsonObject(work.use[kind]) ? work.use[kind][of] : undefined;
  const retry = retryOf(caught['retry'], reusable) ?? around.retry;
  if (caught['errors'] !== undefined || caught['when'] !== undefined) {
    work.unmapped.push({
      node: name,
      reason: 'it catches some errors alone',
      todo: 'Here every failure leaves by `error`; branch on its code.',
    });
  }
  const container: NodeDefinition = { id, type: 'try', name, config: {} };
  add(work, container, around);
  connect(work, into, id);
  const inside = importList(
    work,
    Array.isArray(task['try']) ? task['try'] : [],
    [{ from: null, port: null, data: into.data }],
    { ...around, parent: id, retry },
  );
  const [end] = inside;
  if (end) container.config = { result: end.data };
  work.nodes = work.nodes.map((node) =>
    node.id === id ? { ...node, ...(container.config ? { config: container.config } : {}) } : node,
  );
  const exits: Exit[] = [{ from: id, port: 'out', data: `nodes.${id}.output` }];
  const error: Exit = { from: id, port: 'error', data: into.data };
  if (!Array.isArray(caught['do'])) return [...exits, error];
  const variables = new Map(around.variables).set(String(caught['as'] ?? 'error'), `nodes.${id}.output.error`);
  return [...exits, ...importList(work, caught['do'], [error], { ...around, variables })];
}
