import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createOpenAiCompatible } from './openai-compatible.ts';
import { readModelsFile } from './models-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-models-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (content: unknown) => {
  const file = join(folder, 'models.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readModelsFile(file, ['openai'], 4_000);
};
const row = (more: object = {}) => ({ name: 'lab', baseUrl: 'http://lab/v1', model: 'qwen3', ...more });

describe('the file of further providers', () => {
  it('makes a provider of each row, with what its models can do', () => {
    const [options] = read({
      providers: [row({ embeddingModel: 'bge', capabilities: { images: false, contextTokens: 9 } })],
    });
    const lab = createOpenAiCompatible(options!);
    expect(lab).toMatchObject({ provider: 'lab', missing: null, defaults: { model: 'qwen3', embeddingModel: 'bge' } });
    expect(lab.capabilities('qwen3')).toMatchObject({ generate: true, tools: true, images: false, contextTokens: 9 });
    expect(lab.capabilities('bge')).toMatchObject({ generate: false, embed: true });
  });

  it('is not needed', () => expect(readModelsFile(null, [], 1)).toEqual([]));

  it.each([
    ['{', /JSON/],
    [{}, /`providers` must be a list/],
    [{ providers: [1] }, /providers\[0\]: must be an object/],
    [{ providers: [row(), row()] }, /providers\[1\]: the name lab is taken/],
    [{ providers: [row({ name: 'openai' })] }, /taken/],
    [{ providers: [row({ name: 'My Lab' })] }, /name/],
    [{ providers: [row({ baseUrl: 'lab' })] }, /baseUrl/],
    [{ providers: [row({ key: 'x' })] }, /key is not known; known are name/],
    [{ providers: [row({ capabilities: { vision: true } })] }, /capabilities.vision is not known/],
    [{ providers: [row({ maxOutputTokens: 0 })] }, /maxOutputTokens/],
  ])('is refused with the place and the reason: %j', (content, message) => {
    expect(() => read(content)).toThrow(message);
  });
});
