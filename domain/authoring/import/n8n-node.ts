import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import type { NodeDefinition } from '../../runs/definition.ts';
import { nameOf } from './imported.ts';
import { conditionToCel, testToCel, type ToCel } from './n8n-conditions.ts';
import type { N8nNode } from './n8n-file.ts';
import { cannot } from './tokens.ts';

export type NodeReading = {
  toCel: ToCel;
  /** A text with expressions as a Handlebars template. */
  toTemplate: (value: Json) => string;
  /** What flows in. */
  data: string;
  /** Notes something that is different here, though the node is imported. */
  remark: (reason: string, todo: string) => void;
};
export type NodeImport = Pick<NodeDefinition, 'type' | 'config'> & {
  /** Ports by n8n's output; null ends there. */
  ports: readonly (string | null)[];
  /** Where the data of what follows is; null is as before. */
  data: 'output' | 'output.body' | 'output.data' | null;
};

/** The counterpart of a node. @throws MAPPING_INVALID where there is none */
export function importN8nNode(node: N8nNode, at: NodeReading): NodeImport {
  const { parameters } = node;
  switch (node.type) {
    case 'httpRequest':
      return httpRequest(node, at);
    case 'if':
      return {
        type: 'branch',
        config: { condition: conditionToCel(parameters, at.toCel) },
        ports: ['true', 'false'],
        data: null,
      };
    case 'filter':
      at.remark(
        'it filters items; here it lets the one value through or not',
        'Use CEL filter() where the value is a list.',
      );
      return {
        type: 'branch',
        config: { condition: conditionToCel(parameters, at.toCel) },
        ports: ['true'],
        data: null,
      };
    case 'switch':
      return switchNode(parameters, at);
    case 'set':
      return { type: 'transform', config: { value: setFields(parameters, at) }, ports: ['out'], data: 'output' };
    case 'merge':
      return merge(parameters, at);
    case 'wait':
      return wait(parameters, at);
    case 'executeWorkflow':
      return executeWorkflow(parameters, at);
    case 'stopAndError':
      return {
        type: 'fail',
        config: { code: 'STOPPED', message: at.toTemplate(parameters['errorMessage'] ?? 'stopped') },
        ports: [],
        data: null,
      };
    case 'noOp':
    case 'splitOut':
    case 'itemLists': {
      const field = parameters['fieldToSplitOut'];
      const value = typeof field === 'string' ? `${at.data}.${field}` : at.data;
      return { type: 'transform', config: { value }, ports: ['out'], data: 'output' };
    }
    case 'code':
    case 'function':
    case 'functionItem':
      throw cannot('it runs code of its own');
    default:
      throw cannot(`there is no counterpart of ${node.type}`);
  }
}

const listIn = (value: Json | undefined, name: string): JsonObject[] => {
  const list = isJsonObject(value) ? value[name] : undefined;
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
};

function httpRequest(node: N8nNode, at: NodeReading): NodeImport {
  const { parameters } = node;
  const query = listIn(parameters['queryParameters'], 'parameters').map(
    ({ name, value }) => `${at.toTemplate(name ?? '')}=${at.toTemplate(value ?? '')}`,
  );
  const url = at.toTemplate(parameters['url'] ?? '');
  const headers = listIn(parameters['headerParameters'], 'parameters').map(
    ({ name, value }) => [String(name), at.toTemplate(value ?? '')] as const,
  );
  const options = isJsonObject(parameters['options']) ? parameters['options'] : {};
  const body = bodyOf(parameters, at);
  if (node.hasCredentials || (parameters['authentication'] !== undefined && parameters['authentication'] !== 'none')) {
    at.remark('its credentials are not in the file', 'Add the header that carries them.');
  }
  return {
    type: 'http',
    config: {
      url: query.length > 0 ? `${url}${url.includes('?') ? '&' : '?'}${query.join('&')}` : url,
      method: String(parameters['method'] ?? parameters['requestMethod'] ?? 'GET').toUpperCase(),
      ...(headers.length > 0 ? { headers: Object.fromEntries(headers) } : {}),
      ...(body === null ? {} : { body }),
      ...(typeof options['timeout'] === 'number' ? { timeoutMs: options['timeout'] } : {}),
    },
    ports: ['out'],
    data: 'output.body',
  };
}

function bodyOf(parameters: JsonObject, at: NodeReading): Json {
  if (parameters['sendBody'] === false) return null;
  if (typeof parameters['jsonBody'] === 'string') return jsonText(parameters['jsonBody'], at);
  const fields = listIn(parameters['bodyParameters'], 'parameters');
  if (fields.length === 0) return null;
  return Object.fromEntries(fields.map(({ name, value }) => [String(name), at.toCel(value ?? null)]));
}

/** JSON as a text, which may be an expression as a whole. */
function jsonText(text: string, at: NodeReading): Json {
  if (text.startsWith('=')) return at.toCel(text);
  try {
    return at.toCel(JSON.parse(text) as Json);
  } catch {
    throw cannot('its JSON body cannot be read');
  }
}

function switchNode(parameters: JsonObject, at: NodeReading): NodeImport {
  const newer = listIn(parameters['rules'], 'values');
  const older = listIn(parameters['rules'], 'rules');
  const cases =
    newer.length > 0
      ? newer.map((rule, index) => ({
          port: portName(rule['outputKey'], index),
          when: isJsonObject(rule['conditions'])
            ? conditionToCel(rule, at.toCel)
            : testToCel(
                String(rule['operation'] ?? 'equal'),
                at.toCel(rule['value'] ?? parameters['value1'] ?? null),
                () => at.toCel(rule['value2'] ?? rule['key'] ?? null),
              ),
        }))
      : older.map((rule, index) => ({
          port: portName(undefined, index),
          when: testToCel(String(rule['operation'] ?? 'equal'), at.toCel(parameters['value1'] ?? null), () =>
            at.toCel(rule['value2'] ?? null),
          ),
        }));
  if (cases.length === 0) throw cannot('it chooses its output by an expression');
  return {
    type: 'switch',
    config: { cases },
    ports: [...(older.length > 0 ? byOutput(cases, older) : cases.map(({ port }) => port)), 'default'],
    data: null,
  };
}

/** The older switch says for each rule which output it takes. */
function byOutput(cases: readonly { port: string }[], rules: readonly JsonObject[]): string[] {
  const ports: string[] = [];
  rules.forEach((rule, index) => {
    const output = typeof rule['output'] === 'number' ? rule['output'] : index;
    ports[output] ??= cases[index]?.port ?? 'default';
  });
  return Array.from(ports, (port) => port ?? 'default');
}

function portName(key: Json | undefined, index: number): string {
  const name = typeof key === 'string' ? key.replaceAll(/\W+/g, '_').replaceAll(/^_+|_+$/g, '') : '';
  return /^[A-Za-z]/.test(name) && !['default', 'error', 'out'].includes(name) ? name : `case${index}`;
}

function setFields(parameters: JsonObject, at: NodeReading): Json {
  if (parameters['mode'] === 'raw') return jsonText(String(parameters['jsonOutput'] ?? '{}'), at);
  const newer = listIn(parameters['assignments'], 'assignments');
  const older = isJsonObject(parameters['values'])
    ? Object.values(parameters['values']).flatMap((list) => listIn({ list }, 'list'))
    : [];
  const keepsOthers =
    newer.length > 0
      ? parameters['includeOtherFields'] === true
      : parameters['keepOnlySet'] !== true && older.length > 0;
  if (keepsOthers) at.remark('it also keeps the fields that came in', `Read those from ${at.data}.`);
  const fields: { [name: string]: Json } = {};
  for (const { name, value } of [...newer, ...older]) assign(fields, String(name).split('.'), at.toCel(value ?? null));
  return fields;
}

function assign(target: { [name: string]: Json }, [name = '', ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) target[name] = value;
  else {
    const inner = isJsonObject(target[name]) ? target[name] : {};
    target[name] = inner;
    assign(inner, rest, value);
  }
}

function merge(parameters: JsonObject, at: NodeReading): NodeImport {
  const mode = parameters['mode'] ?? 'append';
  const ours = mode === 'append' ? 'list' : mode === 'chooseBranch' || mode === 'passThrough' ? 'first' : 'object';
  if (ours === 'object')
    at.remark(
      `it merges by ${String(mode)}; here the output has what came in by node`,
      'Join the fields in a transform after it.',
    );
  return { type: 'merge', config: { mode: ours }, ports: ['out'], data: 'output' };
}

const UNITS: Readonly<Record<string, number>> = { seconds: 1_000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 };

function wait(parameters: JsonObject, at: NodeReading): NodeImport {
  switch (parameters['resume'] ?? 'timeInterval') {
    case 'timeInterval': {
      const unit = UNITS[String(parameters['unit'] ?? 'hours')] ?? 3_600_000;
      const amount = parameters['amount'] ?? 1;
      const durationMs = typeof amount === 'number' ? amount * unit : `int(${at.toCel(amount)} * ${unit})`;
      return { type: 'delay', config: { durationMs }, ports: ['out'], data: null };
    }
    case 'specificTime':
      return { type: 'until', config: { at: at.toCel(parameters['dateTime'] ?? null) }, ports: ['out'], data: null };
    case 'webhook':
      at.remark('its address is another one here', 'Send run.webhooks.<id> to whoever calls it.');
      return { type: 'webhook', config: {}, ports: ['received'], data: 'output.data' };
    default:
      throw cannot('it waits for a form; an approval with a form does that');
  }
}

function executeWorkflow(parameters: JsonObject, at: NodeReading): NodeImport {
  const id = parameters['workflowId'];
  const title = isJsonObject(id) ? (id['cachedResultName'] ?? id['value']) : id;
  if (typeof title !== 'string') throw cannot('the workflow it runs is not in the file');
  at.remark(`it runs the workflow ${title}`, `Import and publish that as ${nameOf(title)}, or change config.workflow.`);
  const inputs = isJsonObject(parameters['workflowInputs']) ? parameters['workflowInputs']['value'] : undefined;
  const input =
    isJsonObject(inputs) && Object.keys(inputs).length > 0
      ? Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, at.toCel(value)]))
      : at.data;
  return { type: 'subworkflow', config: { workflow: nameOf(title), input }, ports: ['out'], data: 'output' };
}
