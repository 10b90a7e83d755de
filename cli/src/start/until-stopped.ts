import type { RunningParts } from './running-parts.ts';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export type Stopped = {
  /** Resolves when somebody asks to stop: by a signal, or by ending the process that started us. */
  first: Promise<void>;
  asked: () => boolean;
  exitCode: () => number;
  ignore: () => void;
};

/** The first signal asks for an orderly stop; the second kills what is left. */
export function untilStopped(parts: RunningParts): Stopped {
  const first = Promise.withResolvers<void>();
  let code: number | null = null;
  const onSignal = (signal: keyof typeof SIGNALS) => {
    if (code !== null) {
      void parts.stop(0);
      return;
    }
    code = SIGNALS[signal];
    first.resolve();
  };
  const onDisconnect = () => {
    if (code === null) onSignal('SIGTERM');
  };
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  for (const name of names) process.on(name, onSignal);
  process.on('disconnect', onDisconnect);
  return {
    first: first.promise,
    asked: () => code !== null,
    exitCode: () => code ?? 0,
    ignore() {
      for (const name of names) process.off(name, onSignal);
      process.off('disconnect', onDisconnect);
    },
  };
}
