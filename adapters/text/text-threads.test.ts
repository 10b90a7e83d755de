import { afterEach, describe, expect, it } from '@jest/globals';
import { createTextThreads, type TextThreads, type TextThreadsOptions } from './text-threads.ts';

const open: TextThreads[] = [];
const threadsOf = (options: TextThreadsOptions) => {
  const threads = createTextThreads(options);
  open.push(threads);
  return threads;
};
afterEach(() => Promise.all(open.splice(0).map((threads) => threads.close())));

const never = () => new AbortController().signal;
const SHORT = { text: 'Light is bent by glass. Glass bends light.' };
/** Keeps a thread busy for many seconds. */
const ENDLESS = {
  text: Array.from({ length: 60_000 }, (_, at) => `Ray ${at} meets glass number ${at} in air.`).join(' '),
};

describe('text threads', () => {
  it('answer, and answer again from the same warm thread', async () => {
    const threads = threadsOf({ threads: 1 });
    const first = await threads.run('analyze', SHORT, never());
    expect(first.sentences).toBe(2);
    expect(await threads.run('analyze', SHORT, never())).toEqual(first);
  });

  it('carry errors of the table over', async () => {
    const threads = threadsOf({ threads: 1 });
    await expect(threads.run('analyze', { text: '...' }, never())).rejects.toMatchObject({
      code: 'CONTENT_UNSUPPORTED',
    });
  });

  it('leave the main thread free while they work', async () => {
    const threads = threadsOf({ threads: 1 });
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    await threads.run('analyze', { text: ENDLESS.text.slice(0, 200_000) }, never());
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
  });

  it('stop at once when cancelled, and the next job gets a new thread', async () => {
    const threads = threadsOf({ threads: 1 });
    const cancelling = new AbortController();
    const endless = threads.run('analyze', ENDLESS, cancelling.signal);
    const queued = threads.run('analyze', SHORT, never());
    setTimeout(() => cancelling.abort(new Error('cancelled')), 50);
    await expect(endless).rejects.toThrow('cancelled');
    expect((await queued).sentences).toBe(2);
  });

  it('let a queued job leave the queue', async () => {
    const threads = threadsOf({ threads: 1 });
    const [running, waiting] = [new AbortController(), new AbortController()];
    const endless = threads.run('analyze', ENDLESS, running.signal);
    const queued = threads.run('analyze', SHORT, waiting.signal);
    waiting.abort(new Error('left'));
    await expect(queued).rejects.toThrow('left');
    running.abort(new Error('done'));
    await expect(endless).rejects.toThrow('done');
  });

  it('fail retryably when a thread dies, and go on with a new one', async () => {
    const threads = threadsOf({ threads: 1, memoryMegabytes: 16 });
    await expect(threads.run('analyze', SHORT, never())).rejects.toMatchObject({
      code: 'NODE_FAILED',
      retryable: true,
    });
    expect((await threadsOf({ threads: 1 }).run('analyze', SHORT, never())).sentences).toBe(2);
  });

  it('fail what runs and what waits when they are closed', async () => {
    const threads = threadsOf({ threads: 1 });
    const jobs = [threads.run('analyze', ENDLESS, never()), threads.run('analyze', SHORT, never())];
    const outcomes = Promise.allSettled(jobs);
    await threads.close();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'NODE_FAILED', retryable: true } });
    }
  });

  it('work side by side', async () => {
    const threads = threadsOf({ threads: 2 });
    const answers = await Promise.all(Array.from({ length: 6 }, () => threads.run('analyze', SHORT, never())));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });
});
