import { edge, type InvalidDefinition, transform, withConfig } from './invalid-definitions.ts';

const inside = (id: string, parent: string, value = '1') => ({ ...transform(id, value), parent });
const map = { id: 'each', type: 'map', config: { items: '[1]' } };
const http = (fields: object) => ({
  nodes: [{ id: 'a', type: 'http', config: { url: 'https://example.org' }, ...fields }],
});

/** What containers, variables, error policies and undos add to what may be wrong. */
export const INVALID_BODIES: InvalidDefinition[] = [
  [
    'an edge out of a body',
    { nodes: [map, inside('a', 'each'), transform('b')], edges: [edge('a', 'b')] },
    { code: 'EDGE_LEAVES_BODY', path: '/edges/0', nodeId: 'a', message: /each/, hint: /container/ },
  ],
  [
    'a parent that does not exist',
    { nodes: [inside('a', 'eahc')] },
    { code: 'PARENT_UNKNOWN', path: '/nodes/0/parent', nodeId: 'a' },
  ],
  [
    'a parent that is no container',
    { nodes: [transform('b'), inside('a', 'b')] },
    { code: 'PARENT_INVALID', path: '/nodes/1/parent', nodeId: 'a', hint: /map, loop and try/ },
  ],
  [
    'a container without a body',
    { nodes: [map] },
    { code: 'PARENT_INVALID', path: '/nodes/0', nodeId: 'each', message: /no nodes/, hint: /"parent": "each"/ },
  ],
  [
    'an item outside of a map',
    withConfig('transform', { value: 'item' }),
    {
      code: 'REFERENCE_UNKNOWN',
      path: '/nodes/0/config/value',
      nodeId: 'a',
      message: /item exists only/,
      hint: /parent/,
    },
  ],
  [
    'a pass in a map',
    { nodes: [map, inside('a', 'each', 'pass.index')] },
    { code: 'REFERENCE_UNKNOWN', path: '/nodes/1/config/value', nodeId: 'a', message: /pass exists only .* loop/ },
  ],
  [
    'a node of a body that is read from outside',
    { nodes: [map, inside('a', 'each'), transform('b', 'nodes.a.output')], edges: [edge('each', 'b')] },
    { code: 'REFERENCE_NOT_BEFORE', path: '/nodes/2/config/value', nodeId: 'b' },
  ],
  [
    'a node of a body in the output',
    { nodes: [map, inside('a', 'each')], output: 'nodes.a.output' },
    { code: 'REFERENCE_NOT_BEFORE', path: '/output', nodeId: null },
  ],
  [
    'a variable that is not declared',
    { variables: { total: 0 }, nodes: [transform('a', 'vars.totla')] },
    { code: 'VARIABLE_UNKNOWN', path: '/nodes/0/config/value', nodeId: 'a', message: /totla/, hint: /total/ },
  ],
  [
    'a variable that is set and not declared',
    withConfig('set', { values: { total: '1' } }),
    { code: 'VARIABLE_UNKNOWN', path: '/nodes/0/config/values/total', nodeId: 'a', hint: /variables/ },
  ],
  [
    'two cases of one port',
    withConfig('switch', {
      cases: [
        { port: 'x', when: 'true' },
        { port: 'x', when: 'false' },
      ],
    }),
    { code: 'CONFIG_TYPE', path: '/nodes/0/config/cases/1/port', nodeId: 'a' },
  ],
  [
    'a case that is no expression',
    withConfig('switch', { cases: [{ port: 'x', when: '1 +' }] }),
    { code: 'EXPRESSION_INVALID', path: '/nodes/0/config/cases/0/when', nodeId: 'a' },
  ],
  [
    'an error policy that is not one',
    http({ onError: 'ignore' }),
    { code: 'DEFINITION_SHAPE', path: '/nodes/0/onError', nodeId: 'a', message: /continue/ },
  ],
  [
    'a fallback that nothing asks for',
    http({ fallback: '1' }),
    { code: 'CONFIG_UNKNOWN', path: '/nodes/0/fallback', nodeId: 'a', hint: /continue/ },
  ],
  [
    'an error port without the policy',
    { ...http({}), nodes: [...http({}).nodes, transform('b')], edges: [edge('a', 'b', 'error')] },
    { code: 'EDGE_PORT_UNKNOWN', path: '/edges/0/port', nodeId: 'a' },
  ],
  [
    'an undo that is no activity',
    http({ undo: { type: 'transform', config: { value: '1' } } }),
    { code: 'NODE_TYPE_UNKNOWN', path: '/nodes/0/undo/type', nodeId: 'a', hint: /http/ },
  ],
  [
    'an undo that lacks its config',
    http({ undo: { type: 'http' } }),
    { code: 'CONFIG_MISSING', path: '/nodes/0/undo/config/url', nodeId: 'a' },
  ],
  [
    'an edge to a remark',
    { nodes: [transform('a'), { id: 'b', type: 'note', config: { text: 'x' } }], edges: [edge('a', 'b')] },
    { code: 'EDGE_PORT_UNKNOWN', path: '/edges/0', nodeId: 'b' },
  ],
];
