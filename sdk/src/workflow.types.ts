/** Compiled, never run: each line under `@ts-expect-error` must not compile. */
import type { ContentAnalysis } from '../../domain/content/content-analysis.ts';
import type { Json } from '../../domain/json.ts';
import { cel, gives, type Reference, text, workflow } from './index.ts';

type Same<Left, Right> = (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;
const holds = <_Claim extends true>(): void => undefined;
type ValueOf<Given> = Given extends Reference<infer Value> ? Value : never;

const schema = {
  type: 'object',
  required: ['title', 'tags'],
  additionalProperties: false,
  properties: {
    title: { type: 'string' },
    tags: { type: 'array', items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } },
    limit: { type: 'integer' },
    // Has no additionalProperties: false, and is checked all the same.
    place: { type: 'object', properties: { city: { type: 'string' } } },
  },
} as const;
const base = workflow('types')
  .input(schema)
  .node('analyze', 'content.analyze', ({ input }) => ({ text: input.title, maxKeywords: 5 }))
  .node('facts', 'transform', ({ nodes }) => ({
    value: { words: nodes.analyze.words, rich: cel<boolean>`size(${nodes.analyze.keywords}) > 3`, raw: '1 + 1' },
  }))
  .node('check', 'branch', ({ nodes }) => ({ condition: nodes.facts.rich }))
  .node('ask', 'approval', ({ input }) => ({
    title: text`Publish ${input.title}?`,
    onTimeout: 'route',
    timeoutMs: 1000,
  }))
  .node('call', 'http', { url: 'https://example.org/', method: 'POST', body: { kind: '"test"' } })
  .node('both', 'merge', { mode: 'first' }, { output: gives<{ text: string }>() });

base.output(({ input, nodes, states }) => {
  holds<Same<ValueOf<typeof input.title>, string>>();
  holds<Same<ValueOf<(typeof input.tags)[0]['name']>, string>>();
  holds<Same<ValueOf<typeof input.place.city>, string | undefined>>();
  holds<Same<ValueOf<typeof nodes.analyze>, ContentAnalysis>>();
  holds<Same<ValueOf<typeof nodes.facts.words>, number>>();
  holds<Same<ValueOf<typeof nodes.facts.rich>, boolean>>();
  holds<Same<ValueOf<typeof nodes.facts.raw>, Json>>();
  holds<Same<ValueOf<typeof nodes.call.status>, number>>();
  holds<Same<ValueOf<typeof nodes.call.body>, Json>>();
  holds<Same<ValueOf<typeof nodes.both.text>, string>>();
  holds<Same<ValueOf<typeof nodes.ask.decision>, 'APPROVED' | 'REJECTED' | null>>();
  holds<Same<ValueOf<typeof states.ask.port>, 'approved' | 'rejected' | 'timed_out' | null>>();
  return { deep: { free: nodes.call.body['any'].thing } };
});

base
  .edge('analyze', 'facts')
  .edge('check', 'call', 'true')
  .edge('analyze', 'call', 'out')
  .edge('ask', 'both', 'timed_out');

// @ts-expect-error there is no node of that name to lead to
base.edge('analyze', 'fact');
// @ts-expect-error there is no node of that name to lead from
base.edge('analyse', 'facts');
// @ts-expect-error a node cannot follow itself
base.edge('facts', 'facts');
// @ts-expect-error a branch has no such port
base.edge('check', 'call', 'yes');
// @ts-expect-error a branch is left by a port that is named
base.edge('check', 'call');
// @ts-expect-error a transform has one port
base.edge('facts', 'check', 'true');

// @ts-expect-error there is a node of that name already
base.node('facts', 'merge', {});
// @ts-expect-error there is no such type
base.node('next', 'transfrom', { value: '1' });
// @ts-expect-error a transform needs a value
base.node('next', 'transform', {});
// @ts-expect-error a transform has no such config
base.node('next', 'transform', { value: '1', valeu: '2' });
// @ts-expect-error a transform has no such config, returned by a function either
base.node('next', 'transform', () => ({ value: '1', valeu: '2' }));
// @ts-expect-error that is no way of merging
base.node('next', 'merge', { mode: 'all' });
// @ts-expect-error a count is a number
base.node('next', 'content.analyze', { text: 'input.title', maxKeywords: '5' });
// @ts-expect-error that is no method of HTTP
base.node('next', 'http', { url: 'https://example.org', method: 'FETCH' });

// @ts-expect-error there is no such node to read
base.node('next', 'transform', ({ nodes }) => ({ value: nodes.analyse }));
// @ts-expect-error a node cannot read itself
base.node('next', 'transform', ({ nodes }) => ({ value: nodes.next }));
// @ts-expect-error an analysis has no such field
base.node('next', 'transform', ({ nodes }) => ({ value: nodes.analyze.wordCount }));
// @ts-expect-error what a transform gives has no such field
base.node('next', 'transform', ({ nodes }) => ({ value: nodes.facts.lines }));
// @ts-expect-error the input has no such field
base.node('next', 'transform', ({ input }) => ({ value: input.titel }));
// @ts-expect-error an element of the input has no such field
base.node('next', 'transform', ({ input }) => ({ value: input.tags[0].label }));
// @ts-expect-error an object that may have more fields has no such field either
base.node('next', 'transform', ({ input }) => ({ value: input.place.town }));
// @ts-expect-error an approval has no such field
base.node('next', 'transform', ({ nodes }) => ({ value: nodes.ask.answer }));
// @ts-expect-error a condition is a bool, not a number
base.node('next', 'branch', ({ nodes }) => ({ condition: nodes.analyze.words }));
// @ts-expect-error a condition is a bool, not a text
base.node('next', 'branch', () => ({ condition: cel<string>`"yes"` }));
// @ts-expect-error a text is no number
base.node('next', 'content.analyze', ({ nodes }) => ({ text: nodes.analyze.words }));
// @ts-expect-error a duration is a number, not a text
base.node('next', 'delay', ({ input }) => ({ durationMs: input.title }));
// @ts-expect-error a duration is there, which this may not be
base.node('next', 'delay', ({ input }) => ({ durationMs: input.limit }));
// @ts-expect-error the output reads nodes that there are
base.output(({ nodes }) => ({ result: nodes.nobody }));
// @ts-expect-error an expression has no value while the definition is written
base.node('next', 'transform', ({ nodes }) => ({ value: nodes.analyze.words + 1 }));
// @ts-expect-error a template is no place for CEL
base.node('next', 'template', ({ nodes }) => ({ template: text`${cel`size(${nodes.analyze.keywords})`}` }));
// @ts-expect-error there is no such policy
base.policies({ onNodeFailure: 'ignore' });
// @ts-expect-error a retry counts attempts by this name
base.node('next', 'merge', {}, { retry: { attempts: 3 } });
// @ts-expect-error a schema has no such type
workflow('bad').input({ type: 'text' });

const wide = workflow('wide')
  .input({
    type: 'object',
    required: ['orders', 'kind'],
    properties: {
      kind: { type: 'string' },
      orders: {
        type: 'array',
        items: {
          type: 'object',
          required: ['id', 'lines'],
          properties: { id: { type: 'string' }, lines: { type: 'array', items: { type: 'integer' } } },
        },
      },
    },
  })
  .variables({ count: 0, seen: 'nobody' })
  .node('route', 'switch', ({ input }) => ({
    cases: [
      { port: 'refund', when: cel<boolean>`${input.kind} == "refund"` },
      { port: 'billing', when: 'input.kind == "billing"' },
    ],
  }))
  .node('count', 'set', ({ vars }) => ({ values: { count: cel<number>`${vars.count} + 1` } }))
  .node('why', 'fail', { code: 'NO', message: 'no' })
  .node('remark', 'note', { text: 'a remark' })
  .node('heard', 'wait', ({ input }) => ({
    event: 'paid',
    correlation: input.kind,
    schema: { type: 'object', required: ['amount'], properties: { amount: { type: 'number' } } },
    onTimeout: 'route',
    timeoutMs: 5,
  }))
  .node('hook', 'webhook', { schema: { type: 'object', required: ['ok'], properties: { ok: { type: 'boolean' } } } })
  .node('ask', 'approval', {
    title: 'Sure?',
    assignees: '["ada"]',
    quorum: 2,
    form: { type: 'object', required: ['why'], properties: { why: { type: 'string' } } },
    escalation: [{ afterMs: 1000, assignees: ['bob'] }],
  })
  .node('call', 'http', { url: 'https://example.org/', method: 'POST' }, { onError: 'route', fuse: false })
  .undo('call', 'http', ({ nodes }) => ({ url: text`https://example.org/${nodes.call.body.id}`, method: 'DELETE' }))
  .node(
    'maybe',
    'http',
    { url: 'https://example.org/' },
    { onError: 'continue', fallback: ({ input }) => ({ kind: input.kind }) },
  )
  .node('at', 'until', ({ nodes }) => ({ at: nodes.heard.name }))
  .map(
    'each',
    ({ input }) => ({ items: input.orders, concurrency: 3 }),
    (body) =>
      body
        .node('sum', 'transform', ({ item, index }) => ({ value: { id: item.id, index, first: item.lines[0] } }))
        .map(
          'lines',
          ({ item }) => ({ items: item.lines }),
          (inner) =>
            inner
              .node('twice', 'transform', ({ item }) => ({ value: cel<number>`${item} * 2` }))
              .result(({ nodes }) => nodes.twice),
        )
        .edge('sum', 'lines')
        .result(({ nodes }) => ({ id: nodes.sum.id, doubled: nodes.lines.results })),
  )
  .loop('poll', { maximumIterations: 3, state: { tries: cel<number>`0` }, onBound: 'route' }, (body) =>
    body
      .node('again', 'http', { url: 'https://example.org/' })
      .next(({ pass }) => ({ tries: cel<number>`${pass.state.tries} + 1` }))
      .until(({ nodes }) => cel<boolean>`${nodes.again.status} == 200`),
  )
  .try('careful', (body) =>
    body.node('risk', 'http', { url: 'https://example.org/' }).result(({ nodes }) => ({ code: nodes.risk.status })),
  );

const child = workflow('child')
  .input({ type: 'object', required: ['n'], additionalProperties: false, properties: { n: { type: 'number' } } })
  .node('twice', 'transform', ({ input }) => ({ value: cel<number>`${input.n} * 2` }))
  .output(({ nodes }) => ({ twice: nodes.twice }));
const parent = wide.subworkflow('child', child, ({ vars }) => ({ n: vars.count }));

parent.output(({ nodes, states, vars, run }) => {
  holds<Same<ValueOf<typeof vars.count>, number>>();
  holds<Same<ValueOf<typeof nodes.heard.data.amount>, number>>();
  holds<Same<ValueOf<typeof nodes.hook.data.ok>, boolean>>();
  holds<Same<ValueOf<typeof nodes.ask.data.why>, string>>();
  holds<Same<ValueOf<typeof nodes.route.port>, 'refund' | 'billing' | 'default'>>();
  holds<Same<ValueOf<typeof states.call.port>, 'out' | 'error' | null>>();
  holds<Same<ValueOf<(typeof nodes.each.results)[0]['id']>, string>>();
  holds<Same<ValueOf<(typeof nodes.each.results)[0]['doubled'][0]>, number | null>>();
  holds<Same<ValueOf<(typeof nodes.each.failed)[0]['index']>, number>>();
  holds<Same<ValueOf<typeof nodes.poll.state.tries>, number>>();
  holds<Same<ValueOf<typeof nodes.careful.code>, number>>();
  holds<Same<ValueOf<typeof nodes.child.twice>, number>>();
  return { hook: run.webhooks.hook, error: nodes.careful.error.message };
});
parent
  .edge('route', 'count', 'refund')
  .edge('route', 'why', 'default')
  .edge('call', 'maybe', 'error')
  .edge('heard', 'hook', 'timed_out')
  .edge('poll', 'careful', 'bound')
  .edge('careful', 'at', 'error')
  .edge('each', 'poll');

// @ts-expect-error a switch has no such case
wide.edge('route', 'count', 'shipping');
// @ts-expect-error a switch is left by a port that is named
wide.edge('route', 'count');
// @ts-expect-error a node that routes its errors has two ports
wide.edge('call', 'maybe');
// @ts-expect-error a node that does not route its errors has no such port
wide.edge('maybe', 'call', 'error');
// @ts-expect-error a remark leads nowhere
wide.edge('remark', 'call', 'out');
// @ts-expect-error a node of a body is none of the workflow
wide.edge('sum', 'call');
// @ts-expect-error a variable is declared
wide.node('next', 'set', { values: { cuont: '1' } });
// @ts-expect-error a variable that is read is declared
wide.node('next', 'transform', ({ vars }) => ({ value: vars.cuont }));
// @ts-expect-error a case has a condition that is a bool
wide.node('next', 'switch', ({ input }) => ({ cases: [{ port: 'a', when: input.kind }] }));
// prettier-ignore
// @ts-expect-error a map goes over a list
wide.map('next', ({ input }) => ({ items: input.kind }), (body) => body);
// prettier-ignore
// @ts-expect-error an item has no such field
wide.map('next', ({ input }) => ({ items: input.orders }), (body) => body.node('in', 'transform', ({ item }) => ({ value: item.di })));
// @ts-expect-error items are there in a map alone
wide.node('next', 'transform', ({ item }) => ({ value: item }));
// @ts-expect-error a workflow has an output, not a result
wide.result({ a: '1' });
// prettier-ignore
// @ts-expect-error a body has a result, not an output
wide.map('next', ({ input }) => ({ items: input.orders }), (body) => body.output({ a: '1' }));
// @ts-expect-error a loop has no result
wide.loop('next', { maximumIterations: 1 }, (body) => body.result({ a: '1' }));
// @ts-expect-error a loop has a bound
wide.loop('next', {}, (body) => body);
// @ts-expect-error a condition of a loop is a bool
wide.loop('next', { maximumIterations: 1 }, (body) => body.while(({ pass }) => pass.index));
// prettier-ignore
// @ts-expect-error the state of a loop has no such field
wide.loop('next', { maximumIterations: 1, state: { n: '1' } }, (body) => body.while(({ pass }) => cel<boolean>`${pass.state.m} > 1`));
// @ts-expect-error what a map gives has no such field
wide.output(({ nodes }) => nodes.each.results[0].total);
// @ts-expect-error what comes with an event has no such field
wide.output(({ nodes }) => nodes.heard.data.price);
// @ts-expect-error an answer has no such field
wide.output(({ nodes }) => nodes.ask.data.because);
// @ts-expect-error the child gives no such field
parent.output(({ nodes }) => nodes.child.thrice);
// @ts-expect-error the child takes no such input
wide.subworkflow('next', child, { m: '1' });
// @ts-expect-error the child takes a number
wide.subworkflow('next', child, ({ input }) => ({ n: input.kind }));
// @ts-expect-error only an activity undoes a node
wide.undo('call', 'transform', { value: '1' });
// @ts-expect-error only a node that is there can be undone
wide.undo('cal', 'http', { url: 'https://example.org/' });
// @ts-expect-error there is no such policy of errors
wide.node('next', 'http', { url: 'https://example.org/' }, { onError: 'ignore' });
// @ts-expect-error an escalation says when
wide.node('next', 'approval', { title: 'x', escalation: [{ assignees: ['bob'] }] });
