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
