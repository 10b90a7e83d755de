import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import type { Json } from '../../json.ts';
import type { NodeDefinition, WorkflowDefinition } from '../../runs/definition.ts';
import { validateDefinition } from '../../runs/validate.ts';
import { importN8n } from './import-n8n.ts';
import { importServerless } from './import-serverless.ts';
import { javascriptToCel } from './javascript-to-cel.ts';
import { jqToCel } from './jq-to-cel.ts';

const read = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
const nodeOf = ({ nodes }: WorkflowDefinition, id: string) => nodes.find((node) => node.id === id) as NodeDefinition;
const edgesOf = ({ edges }: WorkflowDefinition) =>
  edges.map(({ from, to, port }) => `${from}${port ? `.${port}` : ''} -> ${to}`);

describe('JavaScript as CEL', () => {
  const scope = {
    data: 'nodes.a.output',
    nodeData: (name: string) => (name === 'The node' ? 'nodes.theNode.output' : null),
  };

  it.each([
    ['$json.name', 'nodes.a.output.name'],
    ['$json["a b"].c[0]', 'nodes.a.output["a b"].c[0]'],
    ['$node["The node"].json.x', 'nodes.theNode.output.x'],
    ["$('The node').item.json.x", 'nodes.theNode.output.x'],
    ['$(\'The node\').first().json["in"]', 'nodes.theNode.output["in"]'],
    ['$input.first().json.x', 'nodes.a.output.x'],
    ['$json.list.length > 3 && !$json.done', '((size(nodes.a.output.list) > 3) && !nodes.a.output.done)'],
    ['$json.a === 1 ? "x" : \'y\'', '((nodes.a.output.a == 1) ? "x" : "y")'],
    ['$json.a + $json.b * 2 - 1', '((nodes.a.output.a + (nodes.a.output.b * 2)) - 1)'],
    ['$json.a.toUpperCase().includes("X")', 'nodes.a.output.a.upperAscii().contains("X")'],
    ['{ a: $json.a, "b": [1, true, null] }', '{"a": nodes.a.output.a, "b": [1, true, null]}'],
    ['String($json.n)', 'string(nodes.a.output.n)'],
  ])('%s', (source, cel) => expect(javascriptToCel(source, scope)).toBe(cel));

  it.each([
    ['$now.format("x")', '$now has no CEL'],
    ['$json.a.replace(/x/, "y")', '/ is not understood'],
    ['$json.items.map(i => i.name)', '=> i.name) is not understood'],
    ['$node["Nobody"].json.x', 'there is no node Nobody before it'],
    ['$json.a ?? 1', '?? has no CEL; use orValue()'],
    ['$json.a +', 'the end is not understood'],
    ['1 2', '2 is not understood'],
  ])('has none for %s', (source, reason) => expect(() => javascriptToCel(source, scope)).toThrow(reason));
});

describe('jq as CEL', () => {
  const scope = { data: 'input', variable: (name: string) => (name === 'pet' ? 'item' : null) };

  it.each([
    ['.', 'input'],
    ['.a.b', 'input.a.b'],
    ['."a b"[0].c', 'input["a b"][0].c'],
    ['.a["b c"]', 'input.a["b c"]'],
    ['$pet.name', 'item.name'],
    ['.items | length', 'size(input.items)'],
    ['.a == 1 and (.b > 2 or .c | not)', '((input.a == 1) && (!(((input.b > 2) || input.c))))'],
    ['.a // "x"', 'input.?a.orValue("x")'],
    ['if .a then 1 else 2 end', '(input.a ? 1 : 2)'],
    ['"Hello \\(.name)!"', '("Hello " + string(input.name) + "!")'],
    ['{ id: .id, name, $pet }', '{"id": input.id, "name": input.name, "pet": item}'],
    ['[.a, 1] | length', 'size([input.a, 1])'],
    ['.name | ascii_downcase | startswith("a")', 'input.name.lowerAscii().startsWith("a")'],
  ])('%s', (source, cel) => expect(jqToCel(source, scope)).toBe(cel));

  it.each([
    ['.[]', 'gives several values'],
    ['map(.x)', 'map has no CEL'],
    ['$nobody.x', '$nobody is not there'],
    ['.a |= 1', '= 1 is not understood'],
  ])('has none for %s', (source, reason) => expect(() => jqToCel(source, scope)).toThrow(reason));
});

describe('a workflow of n8n', () => {
  const { definition, unmapped, triggers } = importN8n(JSON.parse(read('n8n-leads.json')) as Json);

  it('becomes a definition that can be published', () => expect(validateDefinition(definition)).toEqual([]));

  it('keeps its graph, with branches, errors and a loop as a map', () => {
    expect(edgesOf(definition)).toEqual([
      'editFields -> findCompanyValues',
      'findCompanyValues -> findCompany',
      'findCompany.out -> goodLead',
      'goodLead.true -> route',
      'route.Big_customers -> wait',
      'route.case1 -> call',
      'findCompany.error -> code',
      'splitOutIn -> splitOut',
      'route.default -> splitOutIn',
      'wait -> splitOutIn',
      'splitOut -> loopOverItems',
      'loopOverItems -> done',
    ]);
    expect(nodeOf(definition, 'sendMail')).toMatchObject({
      parent: 'loopOverItems',
      config: { body: { to: 'item.mail' } },
    });
    expect(nodeOf(definition, 'stickyNote')).toMatchObject({ type: 'note' });
  });

  it('keeps values, retries and policies', () => {
    expect(nodeOf(definition, 'editFields').config?.['value']).toMatchObject({ company: { name: 'input.company' } });
    expect(nodeOf(definition, 'findCompany')).toMatchObject({
      onError: 'route',
      retry: { maximumAttempts: 4, initialIntervalMs: 2000 },
      config: {
        timeoutMs: 5000,
        url: expect.stringMatching(/\{\{nodes\.findCompanyValues\.output\.value0\}\}&limit=10$/) as unknown as string,
      },
    });
    expect(nodeOf(definition, 'goodLead').config).toEqual({
      condition: 'nodes.findCompany.output.body.score >= 50 && !nodes.editFields.output.email.endsWith("@example.org")',
    });
  });

  it('says what is not the same, and what starts it', () => {
    expect(unmapped.map(({ node, reason }) => `${node}: ${reason}`)).toEqual([
      'Edit Fields: it also keeps the fields that came in',
      'Find company: its credentials are not in the file',
      'Call: it runs the workflow Call the customer',
      'Code: it runs code of its own',
      'Loop Over Items: its items have to be a list',
      ': n8n runs a node once for each item; here it runs once, with one value',
    ]);
    expect(triggers).toMatchObject([{ kind: 'webhook' }, { kind: 'schedule', detail: 'Every morning: 0 6 * * 1-5' }]);
  });

  it('of an older generation is read too, and a cycle that is no loop is named', () => {
    const connections = (...pairs: [string, string, number?][]) =>
      Object.fromEntries(
        pairs.map(([from, to, output = 0]) => {
          const main = Array.from({ length: output + 1 }, (_, index) =>
            index === output ? [{ node: to, type: 'main', index: 0 }] : [],
          );
          return [from, { main }];
        }),
      );
    const older = importN8n({
      nodes: [
        { name: 'Start', type: 'n8n-nodes-base.start', parameters: {} },
        {
          name: 'Is it?',
          type: 'n8n-nodes-base.if',
          typeVersion: 1,
          parameters: {
            conditions: {
              string: [{ value1: '={{$json["kind"]}}', value2: 'a' }],
              boolean: [{ value1: '={{$json.on}}', value2: true }],
            },
            combineOperation: 'any',
          },
        },
        {
          name: 'Kind',
          type: 'n8n-nodes-base.switch',
          typeVersion: 1,
          parameters: {
            dataType: 'string',
            value1: '={{$json.kind}}',
            rules: {
              rules: [
                { value2: 'x', output: 1 },
                { value2: 'y', output: 0 },
              ],
            },
          },
        },
        {
          name: 'Set',
          type: 'n8n-nodes-base.set',
          typeVersion: 1,
          parameters: {
            keepOnlySet: true,
            values: { string: [{ name: 'a', value: '1' }], number: [{ name: 'b', value: 2 }] },
          },
        },
      ],
      connections: {
        ...connections(['Start', 'Is it?'], ['Is it?', 'Kind', 1]),
        Kind: { main: [[{ node: 'Set', type: 'main', index: 0 }]] },
        Set: { main: [[{ node: 'Is it?', type: 'main', index: 0 }]] },
      },
    });
    expect(nodeOf(older.definition, 'isIt').config).toEqual({ condition: 'input.kind == "a" || input.on == true' });
    expect(edgesOf(older.definition)).toEqual(['isIt.false -> kind', 'kind.case1 -> set']);
    expect(nodeOf(older.definition, 'set').config).toEqual({ value: { a: '"1"', b: '2' } });
    expect(older.unmapped[0]).toMatchObject({ node: 'Is it?', reason: 'it is in a cycle that is no loop over items' });
    expect(validateDefinition(older.definition)).toEqual([]);
  });

  it('is told from other files', () =>
    expect(() => importN8n({ name: 'x', nodes: [] })).toThrow('nodes and connections'));
});

const goes = (name: string, then: string): Json => ({ [name]: parse(`{ set: { n: 1 }, then: ${then} }`) as Json });

describe('a Serverless Workflow', () => {
  const { definition, unmapped, triggers } = importServerless(parse(read('serverless-orders.yaml')) as Json);

  it('becomes a definition that can be published', () => expect(validateDefinition(definition)).toEqual([]));

  it('keeps the order of its tasks, jumps, errors, forks and conditions', () => {
    expect(edgesOf(definition)).toEqual([
      'greet -> greetExport',
      'greetExport -> reserveLines',
      'reserveLines -> charge',
      'charge.error -> tell',
      'tell -> stopValues',
      'stopValues -> stop',
      'charge.out -> choose',
      'choose.later -> waitForPayment',
      'choose.paid -> join',
      'waitForPayment.received -> join',
      'join -> label',
      'join -> note',
      'label -> ship',
      'note -> ship',
      'ship -> pauseIf',
      'pauseIf.true -> pause',
      'pauseIf.false -> join2',
      'pause -> join2',
      'join2 -> script',
    ]);
  });

  it('keeps expressions, retries, the schedule and the timeout', () => {
    expect(nodeOf(definition, 'greet').config?.['value']).toMatchObject({
      message: '("Order " + string(input.orderId.upperAscii()))',
    });
    expect(nodeOf(definition, 'reserve')).toMatchObject({
      parent: 'reserveLines',
      config: { body: { sku: 'item.sku', position: 'index' } },
    });
    expect(nodeOf(definition, 'pay')).toMatchObject({
      parent: 'charge',
      retry: { maximumAttempts: 5, backoffCoefficient: 2 },
    });
    expect(nodeOf(definition, 'label').config?.['url']).toBe(
      'https://ship.example.org/labels/{{nodes.join.output.id}}',
    );
    expect(definition).toMatchObject({ variables: { context: {} }, policies: { runTimeoutMs: 7_200_000 } });
    expect(triggers).toMatchObject([{ kind: 'schedule', detail: '0 * * * *' }]);
  });

  it('says what is not the same', () => {
    expect(unmapped.map(({ node, reason }) => `${node}: ${reason}`)).toEqual([
      'pay: its authentication is not imported',
      'note: it runs the workflow notifyCustomer',
      'script: it runs a script',
    ]);
  });

  it('names what goes back, and what no task leads to', () => {
    const result = importServerless({
      document: { dsl: '1.0.0', name: 'x' },
      do: [{ a: { set: { n: 1 } } }, goes('b', 'a'), goes('c', 'end'), { d: { call: 'grpc', with: {} } }],
    });
    expect(result.unmapped.map(({ node, reason }) => `${node}: ${reason}`)).toEqual([
      'b: it goes back to a',
      'c: no task leads to it',
      'd: no task leads to it',
    ]);
    expect(validateDefinition(result.definition)).toEqual([]);
  });
});
