import type { ExecutionResult } from '../execute/execute-operation.ts';
import { createEventQueue, type EventQueue } from './event-queue.ts';

export type Topics = {
  /** Joins what is followed under the key, or begins to follow it; newcomers get the latest event at once. */
  join: (key: string, follow: () => AsyncGenerator<ExecutionResult>) => AsyncGenerator<ExecutionResult>;
  followed: () => number;
};

type Topic = {
  source: AsyncGenerator<ExecutionResult>;
  readers: Set<EventQueue<ExecutionResult>>;
  latest: ExecutionResult | null;
};

/** What equal callers follow is followed and joined once. Readers who fall too far behind are told so and let go. */
export function createTopics(mostHeld: number, tooSlow: () => ExecutionResult): Topics {
  const topics = new Map<string, Topic>();

  async function pump(key: string, topic: Topic): Promise<void> {
    let failure: unknown;
    try {
      for await (const event of topic.source) {
        topic.latest = event;
        for (const reader of topic.readers) if (!reader.push(event)) topic.readers.delete(reader);
      }
    } catch (error) {
      failure = error;
    }
    if (topics.get(key) === topic) topics.delete(key);
    for (const reader of topic.readers) reader.end(failure);
  }

  return {
    followed: () => topics.size,
    join(key, follow) {
      let topic = topics.get(key);
      if (topic === undefined) {
        topic = { source: follow(), readers: new Set(), latest: null };
        topics.set(key, topic);
        void pump(key, topic);
      }
      const { readers, source, latest } = topic;
      const own = topic;
      const reader = createEventQueue<ExecutionResult>(
        mostHeld,
        () => {
          readers.delete(reader);
          if (readers.size > 0) return;
          if (topics.get(key) === own) topics.delete(key);
          void source.return(undefined);
        },
        tooSlow,
      );
      readers.add(reader);
      if (latest !== null) reader.push(latest);
      return reader.events;
    },
  };
}
