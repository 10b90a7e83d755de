import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Doors, openDoors } from '../../tests/doors.ts';

let doors: Doors;
beforeAll(async () => {
  doors = await openDoors();
}, 120_000);
afterAll(() => doors?.close());

const publish = (input: object) =>
  doors.ask('mutation ($input: PromptInput!) { publishPrompt(input: $input) { name version hash } }', { input });
const render = (name: string, variables: object, version?: number) =>
  doors.ask(
    `query ($name: String!, $version: Int, $variables: JSON!) {
       renderPrompt(name: $name, version: $version, variables: $variables) { version hash prompt system } }`,
    { name, variables, version },
  );
const GREETING = { template: 'Greet {{name}}.', variables: { name: { type: 'string' } } };

describe('prompts through the graph', () => {
  it('are published as versions; the same content gives the version that it has, and each version is one event', async () => {
    const first = await publish({ name: 'greet', ...GREETING });
    const second = await publish({ name: 'greet', ...GREETING, template: 'Greet {{name}}.\nBe brief.' });
    const again = await publish({ name: 'greet', ...GREETING, description: 'as before' });
    expect([first, second, again].map(({ data }) => data.publishPrompt.version)).toEqual([1, 2, 1]);
    expect(first.data.publishPrompt.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(again.data.publishPrompt.hash).toBe(first.data.publishPrompt.hash);
    expect(second.data.publishPrompt.hash).not.toBe(first.data.publishPrompt.hash);
    const shown =
      '{ prompts { name version } prompt(name: "greet", version: 1) { template variables versions { version } } }';
    expect((await doors.ask(shown)).data).toEqual({
      prompts: [{ name: 'greet', version: 2 }],
      prompt: { ...GREETING, versions: [{ version: 2 }, { version: 1 }] },
    });
    const { data } = await doors.ask('{ promptDiff(name: "greet", from: 1) { kind text } }');
    expect(data.promptDiff.filter(({ kind }: { kind: string }) => kind !== 'SAME')).toEqual([
      { kind: 'ADDED', text: 'Be brief.' },
    ]);
    const { rows } = await doors.pool.query(
      `SELECT payload FROM events WHERE type = 'prompt.published' ORDER BY position`,
    );
    expect(rows.map(({ payload }) => payload.version)).toEqual([1, 2]);
  }, 60_000);

  it('get versions without gaps when they are published at once', async () => {
    const texts = Array.from({ length: 8 }, (_, index) => `Count to ${index % 4}.`);
    const answers = await Promise.all(texts.map((template) => publish({ name: 'count', template })));
    const versions = answers.map(({ data }) => Number(data.publishPrompt.version));
    expect([...new Set(versions)].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
  }, 60_000);

  it('are rendered strictly, without HTML escaping, with the variables that they declare', async () => {
    await publish({
      name: 'ask',
      system: 'You know {{format_date "2026-11-24T18:00:00Z" "%A, %d %B %Y"}}.',
      template: '{{uppercase topic}}: {{question}}{{#if note}} ({{note}}){{/if}}',
      variables: {
        topic: { type: 'string', default: 'any' },
        question: { type: 'string' },
        note: { type: 'string', required: false },
      },
    });
    expect((await render('ask', { question: '<b>"1 & 2"</b>' })).data.renderPrompt).toMatchObject({
      prompt: 'ANY: <b>"1 & 2"</b>',
      system: 'You know Tuesday, 24 November 2026.',
    });
    const details = await Promise.all(
      [{}, { question: 1 }, { question: 'x', other: 1 }].map(
        async (values) => (await render('ask', values)).errors?.[0],
      ),
    );
    expect(details.map((error) => error.extensions.code)).toEqual(new Array(3).fill('TEMPLATE_FAILED'));
    expect(details.map((error) => error.message).join()).toMatch(
      /question is missing.*of type string.*no variable other/,
    );
    expect((await render('ask', {}, 9)).errors?.[0].extensions.code).toBe('NOT_FOUND');
  }, 60_000);

  it('that cannot work are refused when they are published, with every place', async () => {
    const refused = async (input: object) => {
      const { errors } = await publish({ name: 'bad', ...GREETING, ...input });
      expect(errors?.[0].extensions.code).toBe('INPUT_INVALID');
      return errors?.[0].message as string;
    };
    expect(await refused({ template: '{{nme}}' })).toMatch(/reads nme/);
    expect(await refused({ template: 'a\n{{#if name}}' })).toMatch(/line 2/);
    expect(await refused({ template: '{{shout name}}' })).toMatch(/unknown helper shout/);
    expect(await refused({ template: '{{> other}}' })).toMatch(/partials/);
    expect(await refused({ template: 'a\0' })).toMatch(/NUL/);
    expect(await refused({ name: 'No Way' })).toMatch(/name/);
    expect(await refused({ variables: { name: { type: 'text' } } })).toMatch(/type/);
    expect(await refused({ variables: { name: { type: 'number', default: 'x' } } })).toMatch(/default/);
    expect((await doors.ask('{ prompt(name: "bad") { version } }')).data.prompt).toBeNull();
  }, 60_000);
});
