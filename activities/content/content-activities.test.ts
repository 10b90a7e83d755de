import { afterAll, describe, expect, it } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import { createTextThreads } from '../../adapters/text/text-threads.ts';
import { createContentActivities } from './content-activities.ts';
import { activityEnvironment } from '../../tests/activity-environment.ts';

const text = createTextThreads({ threads: 1 });
afterAll(() => text.close());
const activities = createContentActivities({ text, maxBytes: 5_000_000 });
const analyze = activities['content.analyze'];
const HUGE = Array.from({ length: 50_000 }, (_, at) => `Ray ${at} meets glass number ${at} in the air.`).join(' ');

describe('content.analyze', () => {
  it('analyses', async () => {
    const analysis = await activityEnvironment().run(analyze, {
      text: 'Light is bent by glass.',
      title: 'Light',
    });
    expect(analysis).toMatchObject({ title: 'Light', language: 'en', words: 5, summary: ['Light is bent by glass.'] });
  });

  it('refuses more bytes than the settings allow, and text without words, for good', async () => {
    const small = createContentActivities({ text, maxBytes: 3 })['content.analyze'];
    await expect(activityEnvironment().run(small, { text: 'ääää' })).rejects.toMatchObject({
      type: 'CONTENT_TOO_LARGE',
      nonRetryable: true,
      details: [{ bytes: 8, limitBytes: 3 }],
    });
    await expect(activityEnvironment().run(analyze, { text: '42' })).rejects.toMatchObject({
      type: 'CONTENT_UNSUPPORTED',
      nonRetryable: true,
    });
  });

  it('heartbeats while the thread computes, stops when cancelled, and works again after', async () => {
    const environment = activityEnvironment();
    environment.once('heartbeat', () => environment.cancel());
    await expect(environment.run(analyze, { text: HUGE })).rejects.toBeInstanceOf(CancelledFailure);
    expect(await activityEnvironment().run(analyze, { text: 'Light.' })).toMatchObject({ words: 1 });
  });
});
