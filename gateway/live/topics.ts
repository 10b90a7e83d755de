import type { ExecutionResult } from '../execute/execute-operation.ts';
import { type Reader, type JointStream, openJointStream, type Told } from './joint-stream.ts';

/** What somebody wants to follow. */
export type Wanted = {
  /** Equal for whoever may share it. */
  key: string;
  /** The place to begin behind; null where the stream has no places. */
  after: string | null;
  /** Follows it alone. */
  follow: (after: string | null) => AsyncGenerator<Told>;
};

export type Topics = {
  join: (wanted: Wanted) => AsyncGenerator<ExecutionResult>;
  followed: () => number;
};

/** How far a stream with places runs ahead of its foremost reader. */
const AHEAD = 100;

/**
 * What equal callers follow is followed and joined once. In a stream without places newcomers begin with the latest event, and readers who
 * fall too far behind are told so and let go. In one with places each begins where it likes: by itself until it has come to what is shared,
 * and again by itself when it has fallen behind.
 */
export function createTopics(mostHeld: number, tooSlow: () => ExecutionResult): Topics {
  const topics = new Map<string, JointStream>();

  function share(key: string, source: AsyncGenerator<Told>, after: string | null): JointStream {
    const onOver = () => {
      if (topics.get(key) === topic) topics.delete(key);
    };
    const ahead = after === null ? Number.POSITIVE_INFINITY : Math.min(AHEAD, mostHeld);
    const topic = openJointStream({ source, after, mostHeld, ahead, onOver });
    topics.set(key, topic);
    return topic;
  }

  function fromLatest({ key, follow }: Wanted): AsyncGenerator<ExecutionResult> {
    const topic = topics.get(key) ?? share(key, follow(null), null);
    const reader = topic.read(topic.latest());
    let slow = false;
    const next = async (): Promise<ExecutionResult | null> => {
      const told = slow ? null : await reader.next();
      if (told !== 'behind') return told && told.result;
      slow = true;
      return tooSlow();
    };
    return generatorOf(next, reader.leave);
  }

  function fromPlace({ key, after, follow }: Wanted): AsyncGenerator<ExecutionResult> {
    let place = after ?? '';
    let reader: Reader | null = null;
    let own: AsyncGenerator<Told> | null = null;
    let left = false;
    /** Goes over to what is shared, or shares what it has, as soon as that is possible. */
    const meet = (): void => {
      const topic = topics.get(key);
      const position = topic?.behind(place);
      if (topic !== undefined && position === undefined) return void (own ??= follow(place));
      const source = own;
      own = null;
      if (topic !== undefined) void source?.return(undefined);
      reader = (topic ?? share(key, source ?? follow(place), place)).read(position ?? 0);
    };
    const next = async (): Promise<ExecutionResult | null> => {
      if (left) return null;
      if (reader === null) meet();
      const told = await (reader === null
        ? own?.next().then(({ value }) => (value as Told | undefined) ?? null)
        : reader.next());
      if (told === 'behind') {
        reader?.leave();
        reader = null;
        return next();
      }
      place = told?.cursor ?? place;
      return told?.result ?? null;
    };
    return generatorOf(next, () => {
      left = true;
      reader?.leave();
      void own?.return(undefined);
    });
  }

  return {
    followed: () => topics.size,
    join: (wanted) => (wanted.after === null ? fromLatest(wanted) : fromPlace(wanted)),
  };
}

/** Ends with the first null. A pending `next` is up to `leave` to settle. */
function generatorOf<Event>(next: () => Promise<Event | null>, leave: () => void): AsyncGenerator<Event> {
  const over = { done: true, value: undefined } as const;
  const end = async (): Promise<typeof over> => {
    leave();
    return over;
  };
  return {
    async next() {
      const value = await next();
      if (value !== null) return { done: false, value };
      return end();
    },
    return: end,
    throw: end,
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => leave(),
  };
}
