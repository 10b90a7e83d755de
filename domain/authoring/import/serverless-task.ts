import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import type { NodeDefinition } from '../../runs/definition.ts';
import { nameOf } from './imported.ts';
import type { JqScope } from './jq-to-cel.ts';
import { type Computed, durationOf, textToTemplate, valueToCel, valueToMapping } from './serverless-values.ts';
import { cannot } from './tokens.ts';

export type TaskReading = {
  scope: JqScope;
  /** Id of the node that computes what templates cannot. */
  valuesId: string;
  /** What `use` of the document names. */
  reusable: (kind: string, name: string) => Json | undefined;
  remark: (reason: string, todo: string) => void;
};
export type TaskImport = Pick<NodeDefinition, 'type' | 'config' | 'retry'> & {
  /** Below the node's output; null where what came in flows on. */
  data: 'output' | 'output.body' | 'output.data' | null;
  port: string | null;
  computed: Computed;
};

/** A task that becomes one node. Null for those that hold other tasks. @throws MAPPING_INVALID where there is no counterpart */
export function importTask(task: JsonObject, at: TaskReading): TaskImport | null {
  const one = { data: 'output', port: 'out', computed: {} } as const;
  if (task['set'] !== undefined)
    return { ...one, type: 'transform', config: { value: valueToMapping(task['set'], at.scope) } };
  if (task['call'] !== undefined) return call(task, at);
  if (task['wait'] !== undefined) {
    const durationMs = durationOf(task['wait']);
    if (durationMs === null) throw cannot('its duration is computed');
    return { ...one, type: 'delay', config: { durationMs }, data: null };
  }
  if (task['emit'] !== undefined) return emit(task['emit'], at);
  if (task['listen'] !== undefined) return listen(task['listen'], at);
  if (task['raise'] !== undefined) return raise(task['raise'], at);
  if (task['run'] !== undefined) return run(task['run'], at);
  return null;
}

const field = (value: Json | undefined, name: string): Json | undefined =>
  isJsonObject(value) ? value[name] : undefined;

function call(task: JsonObject, at: TaskReading): TaskImport {
  const kind = task['call'];
  if (kind !== 'http') throw cannot(`it calls ${String(kind)}`);
  const call = isJsonObject(task['with']) ? task['with'] : {};
  const computed: Computed = {};
  const template = (value: Json) => textToTemplate(value, at.scope, at.valuesId, computed);
  const endpoint = field(call['endpoint'], 'uri') ?? call['endpoint'] ?? '';
  const uri = template(endpoint);
  const entries = (value: Json | undefined) =>
    Object.entries(isJsonObject(value) ? value : {}).map(([name, inner]) => [name, template(inner)] as const);
  const query = entries(call['query']).map(([name, value]) => `${name}=${value}`);
  const headers = entries(call['headers']);
  if (field(call['endpoint'], 'authentication') !== undefined)
    at.remark('its authentication is not imported', 'Add the header that carries it.');
  return {
    type: 'http',
    config: {
      url: query.length > 0 ? `${uri}${uri.includes('?') ? '&' : '?'}${query.join('&')}` : uri,
      method: String(call['method'] ?? 'get').toUpperCase(),
      ...(headers.length > 0 ? { headers: Object.fromEntries(headers) } : {}),
      ...(call['body'] === undefined ? {} : { body: valueToMapping(call['body'], at.scope) }),
    },
    data: call['output'] === 'response' ? 'output' : 'output.body',
    port: 'out',
    computed,
  };
}

function emit(value: Json, at: TaskReading): TaskImport {
  const event = field(field(value, 'event'), 'with');
  const type = field(event, 'type');
  if (typeof type !== 'string') throw cannot('its event has no type');
  const computed: Computed = {};
  const subject = field(event, 'subject');
  return {
    type: 'emit',
    config: {
      event: textToTemplate(type, at.scope, at.valuesId, computed),
      ...(subject === undefined ? {} : { correlation: valueToCel(subject, at.scope) }),
      ...(field(event, 'data') === undefined ? {} : { data: valueToMapping(field(event, 'data') as Json, at.scope) }),
    },
    data: null,
    port: 'out',
    computed,
  };
}

function listen(value: Json, at: TaskReading): TaskImport {
  const to = field(value, 'to');
  const one = field(to, 'one');
  const any = field(to, 'any');
  if (one === undefined && !(Array.isArray(any) && any.length === 1)) throw cannot('it listens to several events');
  const filter = one ?? (any as Json[])[0];
  const type = field(field(filter, 'with'), 'type');
  if (typeof type !== 'string') throw cannot('its event has no type');
  const asked = field(filter, 'with');
  if (Object.keys(isJsonObject(asked) ? asked : {}).some((name) => name !== 'type' && name !== 'subject')) {
    at.remark('it asks for more than the type of the event', 'Say it by correlation, or by a JSON Schema of the data.');
  }
  const subject = field(field(filter, 'with'), 'subject');
  const correlation = subject === undefined ? {} : { correlation: valueToCel(subject, at.scope) };
  return { type: 'wait', config: { event: type, ...correlation }, data: 'output.data', port: 'received', computed: {} };
}

function raise(value: Json, at: TaskReading): TaskImport {
  const named = field(value, 'error');
  const error = typeof named === 'string' ? at.reusable('errors', named) : named;
  const last =
    String(field(error, 'type') ?? 'error')
      .split('/')
      .at(-1) ?? 'error';
  const code = last.replaceAll(/\W+/g, '_').toUpperCase() || 'ERROR';
  const computed: Computed = {};
  const message = textToTemplate(
    field(error, 'detail') ?? field(error, 'title') ?? last,
    at.scope,
    at.valuesId,
    computed,
  );
  return { type: 'fail', config: { code, message }, data: 'output', port: null, computed };
}

function run(value: Json, at: TaskReading): TaskImport {
  const workflow = field(value, 'workflow');
  const name = field(workflow, 'name');
  if (typeof name !== 'string')
    throw cannot(`it runs a ${Object.keys(isJsonObject(value) ? value : {}).join(', ') || 'process'}`);
  const input = field(workflow, 'input');
  at.remark(`it runs the workflow ${name}`, `Import and publish that as ${nameOf(name)}.`);
  return {
    type: 'subworkflow',
    config: { workflow: nameOf(name), input: input === undefined ? at.scope.data : valueToMapping(input, at.scope) },
    data: 'output',
    port: 'out',
    computed: {},
  };
}

/** `catch.retry` as the retry policy of the activities inside. */
export function retryOf(retry: Json | undefined, reusable: TaskReading['reusable']): NodeDefinition['retry'] | null {
  const policy = typeof retry === 'string' ? reusable('retries', retry) : retry;
  if (!isJsonObject(policy)) return null;
  const attempts = field(field(policy['limit'], 'attempt'), 'count');
  const delay = durationOf(policy['delay']);
  const exponential = field(policy['backoff'], 'exponential') !== undefined;
  return {
    ...(typeof attempts === 'number' ? { maximumAttempts: Math.min(100, attempts) } : {}),
    ...(delay !== null && delay > 0
      ? { initialIntervalMs: delay, maximumIntervalMs: exponential ? delay * 64 : delay }
      : {}),
    backoffCoefficient: exponential ? 2 : 1,
  };
}
