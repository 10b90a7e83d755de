import { describe, expect, it } from '@jest/globals';
import { loadSettings } from '../../config/load.ts';
import type { GenerateRequest, StreamPart } from '../../domain/models/generation.ts';
import { textOf } from '../../domain/models/message.ts';
import { createSchemaCheck } from './check-schema.ts';
import { createLanguageModels } from './language-models.ts';
import { providerOptions } from './provider-options.ts';

const settings = loadSettings(process.env);
const models = createLanguageModels(providerOptions(settings, () => Promise.resolve('')));
/** Bedrock's region alone says nothing about credentials. */
const hasKey = (provider: string) => provider !== 'bedrock' || settings.AWS_ACCESS_KEY_ID !== null;
const never = () => new AbortController().signal;
const TIMEOUT_MS = 60_000;

describe.each([...models.values()].filter(({ local }) => !local))('$provider itself', (model) => {
  const isThere = model.missing === null && hasKey(model.provider);
  const asked = isThere ? it : it.skip;
  if (!isThere)
    process.stderr.write(`skipped: ${model.provider} (${model.missing ?? 'no credentials in the settings'})\n`);
  const request = (prompt: string, more: Partial<GenerateRequest> = {}): GenerateRequest => ({
    model: model.defaults.model,
    messages: [{ role: 'user', content: prompt }],
    maxOutputTokens: 300,
    ...more,
  });

  asked(
    'answers and counts',
    async () => {
      const answer = await model.generate(request('Answer with the one word: ok'), never());
      expect(textOf(answer.content).toLowerCase()).toContain('ok');
      expect(answer).toMatchObject({ finishReason: 'stop', usage: { inputTokens: expect.any(Number) } });
      expect(answer.usage!.outputTokens).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  asked(
    'streams',
    async () => {
      const parts: StreamPart[] = [];
      for await (const part of model.stream(request('Count from 1 to 20, separated by spaces.'), never()))
        parts.push(part);
      const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
      expect(text).toContain('19');
      expect(parts.at(-1)).toMatchObject({ type: 'end', result: { usage: { outputTokens: expect.any(Number) } } });
    },
    TIMEOUT_MS,
  );

  asked(
    'calls a tool and goes on with what it gave',
    async () => {
      const parameters = { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] };
      const asking = request('What is the weather in Oslo? Use the tool.', {
        tools: [{ name: 'weather', description: 'The weather of a place', parameters }],
      });
      const { content, finishReason } = await model.generate(asking, never());
      expect(finishReason).toBe('tool-calls');
      const call = content.find((part) => part.type === 'tool-call')!;
      expect(call).toMatchObject({ name: 'weather', input: { place: expect.stringMatching(/oslo/i) } });
      const result = { type: 'tool-result' as const, id: call.id, name: 'weather', output: { sky: 'hail' } };
      const messages = [
        ...asking.messages,
        { role: 'assistant' as const, content },
        { role: 'tool' as const, content: [result] },
      ];
      expect(textOf((await model.generate({ ...asking, messages }, never())).content)).toMatch(/hail/i);
    },
    TIMEOUT_MS,
  );

  asked(
    'holds to a schema where it can',
    async () => {
      if (model.capabilities(model.defaults.model).schema !== 'native') return;
      const schema = {
        type: 'object',
        properties: { n: { type: 'integer' } },
        required: ['n'],
        additionalProperties: false,
      };
      const { content } = await model.generate(request('Give n as seven.', { schema }), never());
      const value = JSON.parse(textOf(content)) as { n: number };
      expect(createSchemaCheck()(schema, value)).toBeNull();
      expect(value.n).toBe(7);
    },
    TIMEOUT_MS,
  );

  asked(
    'refuses an unknown model',
    async () => {
      const unknown = request('x', { model: 'no-such-model-of-weft' });
      await expect(model.generate(unknown, never())).rejects.toMatchObject({
        code: expect.stringMatching(/^MODEL_/),
        retryable: false,
      });
    },
    TIMEOUT_MS,
  );
});
