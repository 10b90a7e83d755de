import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { cel, gives, text, workflow } from '../../sdk/src/index.ts';

function readDocument() {
  return workflow('research-brief')
    .describe(
      'Reads a document and writes a one-page brief: facts, concepts, a condensed abstract and, when a reviewer is named, a sign-off.',
    )
    .input({
      type: 'object',
      required: ['title', 'document'],
      additionalProperties: false,
      properties: {
        title: { type: 'string', minLength: 1, maxLength: 200 },
        document: { type: 'string', minLength: 200 },
        source: { type: 'string', description: 'Where the document comes from, quoted in the brief' },
        reviewer: {
          type: 'string',
          minLength: 1,
          description: "Waits for this person's approval before the brief is written",
        },
      },
    })
    .node(
      'analyze',
      'content.analyze',
      ({ input }) => ({
        text: input.document,
        title: input.title,
        maxKeywords: 12,
        maxConcepts: 12,
        summarySentences: 5,
      }),
      { name: 'Analyse the document' },
    )
    .node(
      'facts',
      'transform',
      ({ nodes: { analyze } }) => ({
        value: {
          words: analyze.words,
          minutes: cel<number>`${analyze.readingTimeMs} / 60000`,
          grade: cel<number | null>`${analyze.readability} == null ? null : ${analyze.readability.fleschKincaidGrade}`,
          difficulty: analyze.difficulty,
          sentiment: cel<string | null>`${analyze.sentiment} == null ? null : ${analyze.sentiment.label}`,
          language: analyze.language,
        },
      }),
      { name: 'Facts' },
    )
    .node(
      'concepts',
      'transform',
      ({ nodes }) => ({ value: cel<string[]>`${nodes.analyze.concepts}.map(c, c.name)` }),
      { name: 'Main concepts' },
    );
}

function condense() {
  return readDocument()
    .node('isLong', 'branch', ({ nodes }) => ({ condition: cel<boolean>`${nodes.analyze.words} > 1500` }), {
      name: 'Long enough to condense?',
    })
    .node(
      'digest',
      'model.complete',
      ({ input, nodes }) => ({
        source: input.document,
        values: { title: input.title, concepts: nodes.concepts },
        system: 'You condense documents for busy researchers. Use only what the source says.',
        prompt: 'Condense "{{title}}" into one paragraph. Focus on: {{join concepts ", "}}.',
        maxOutputTokens: 320,
      }),
      { name: 'Condense by a model' },
    )
    .node(
      'excerpt',
      'transform',
      ({ nodes }) => ({ value: { text: cel<string>`${nodes.analyze.summary}.join(${' '})` } }),
      { name: 'Key sentences' },
    )
    .node('abstract', 'merge', { mode: 'first' }, { name: 'Abstract', output: gives<{ text: string }>() });
}

/** research-brief.json in TypeScript; a test holds the two together. */
export function researchBrief(): WorkflowDefinition {
  return condense()
    .node('hasReviewer', 'branch', ({ input }) => ({ condition: cel<boolean>`has(${input.reviewer})` }), {
      name: 'Is there a reviewer?',
    })
    .node(
      'signOff',
      'approval',
      ({ input, nodes }) => ({
        title: text`Publish the brief of "${input.title}"?`,
        message: nodes.abstract.text,
        assignee: input.reviewer,
        timeoutMs: 604_800_000,
        onTimeout: 'fail',
      }),
      { name: 'Sign-off' },
    )
    .node(
      'brief',
      'template',
      ({ input, nodes: { abstract, concepts, analyze, facts } }) => ({
        template: text`# ${input.title}

${abstract.text}

## Main concepts
{{#each ${concepts}}}- {{this}}
{{/each}}

## Key sentences
{{#each ${analyze.summary}}}> {{this}}
{{/each}}

## Facts
${facts.words} words, about {{fixed ${facts.minutes} 0}} minutes to read{{#if ${facts.difficulty}}}; {{lowercase ${facts.difficulty}}} (Flesch-Kincaid grade {{fixed ${facts.grade} 1}}){{/if}}{{#if ${facts.sentiment}}}; tone: ${facts.sentiment}{{/if}}.

{{#if ${input.source}}}
Source: ${input.source}
{{/if}}`,
      }),
      { name: 'Write the brief' },
    )
    .edge('analyze', 'facts')
    .edge('analyze', 'concepts')
    .edge('concepts', 'isLong')
    .edge('isLong', 'digest', 'true')
    .edge('isLong', 'excerpt', 'false')
    .edge('digest', 'abstract')
    .edge('excerpt', 'abstract')
    .edge('facts', 'hasReviewer')
    .edge('abstract', 'hasReviewer')
    .edge('hasReviewer', 'brief', 'false')
    .edge('hasReviewer', 'signOff', 'true')
    .edge('signOff', 'brief', 'approved')
    .output(({ nodes }) => ({ brief: nodes.brief, concepts: nodes.concepts, facts: nodes.facts }))
    .build();
}
