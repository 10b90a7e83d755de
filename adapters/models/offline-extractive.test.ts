import { afterAll, describe, expect, it } from '@jest/globals';
import { textOf } from '../../domain/models/message.ts';
import { createTextThreads } from '../text/text-threads.ts';
import { createOfflineExtractive } from './offline-extractive.ts';

const threads = createTextThreads({ threads: 1 });
afterAll(() => threads.close());

const model = createOfflineExtractive((input, signal) => threads.run('condense', input, signal));
const complete = ({ prompt, ...rest }: { prompt: string; source?: string; maxOutputTokens?: number }) =>
  model.generate(
    { model: 'textrank', messages: [{ role: 'user', content: prompt }], ...rest },
    new AbortController().signal,
  );
const textOfAnswer = async (request: Parameters<typeof complete>[0]) => textOf((await complete(request)).content);
const SOURCE =
  'Glass bends the rays of light that enter it. A prism of glass parts white light into its colours. The farmers of the valley grow ' +
  'wheat and barley in spring. Wheat needs rain in April and sun in July. Merchants carry the barley of the valley to the coast.';

describe('offline-extractive', () => {
  it('answers with the sentences that the prompt asks about', async () => {
    const wheat = await complete({ prompt: 'What does wheat need?', source: SOURCE, maxOutputTokens: 12 });
    expect(wheat).toEqual({
      content: [{ type: 'text', text: 'Wheat needs rain in April and sun in July.' }],
      model: 'textrank',
      finishReason: 'stop',
      usage: null,
    });
    const prism = await textOfAnswer({ prompt: 'Explain the prism and colours', source: SOURCE, maxOutputTokens: 15 });
    expect(prism).toBe('A prism of glass parts white light into its colours.');
  });

  it.each([undefined, '', '  '])('refuses to write without a source (%j)', async (source) => {
    const request = { prompt: `Write a poem about this: "${SOURCE}"`, ...(source === undefined ? {} : { source }) };
    await expect(complete(request)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      retryable: false,
      message: expect.stringContaining('source'),
    });
  });

  it('refuses a limit below any sentence', async () => {
    await expect(complete({ prompt: 'x', source: SOURCE, maxOutputTokens: 2 })).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
    });
  });
});
