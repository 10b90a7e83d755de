import { join, resolve } from 'node:path';
import { pino, type Logger } from 'pino';
import type { Settings } from '../../../config/settings.ts';
import { type LineLog, logFile, openLineLog } from './line-log.ts';
import { createRunningParts, type RunningParts } from './running-parts.ts';

/** What the steps of a start share. */
export type StartContext = {
  settings: Settings;
  dataDir: string;
  parts: RunningParts;
  log: Logger;
  /** Ports given out in this start. */
  takenPorts: Set<number>;
  /** One line for the person who waits. */
  tell: (line: string) => void;
  openLog: (name: string) => LineLog;
  logFile: (name: string) => string;
  /** Measures a step into start.log. */
  phase: <Result>(name: string, step: () => Promise<Result>) => Promise<Result>;
  /** Says so when a wanted port was busy. */
  portChosen: (what: string, wanted: number, port: number) => void;
  /** Called when a server of ours is gone without having been stopped. */
  partEnded: (what: string) => void;
};

export type StartContextOptions = {
  settings: Settings;
  tell: (line: string) => void;
  onPartLost: (what: string) => void;
};

export function createStartContext({ settings, tell, onPartLost }: StartContextOptions): StartContext {
  const dataDir = resolve(settings.WEFT_DATA_DIR);
  const logs = join(dataDir, 'logs');
  const own = openLineLog(logs, 'start');
  const log = pino({ name: 'start', level: settings.WEFT_LOG_LEVEL }, { write: (line) => own.write(line.trimEnd()) });
  const parts = createRunningParts();
  return {
    settings,
    dataDir,
    parts,
    log,
    takenPorts: new Set(),
    tell,
    openLog: (name) => openLineLog(logs, name),
    logFile: (name) => logFile(logs, name),
    async phase(name, step) {
      const began = performance.now();
      try {
        return await step();
      } finally {
        log.info({ phase: name, ms: Math.round(performance.now() - began) }, 'phase ended');
      }
    },
    portChosen(what, wanted, port) {
      if (wanted !== 0 && port !== wanted) tell(`Port ${wanted} is busy: ${what} listens on ${port}`);
    },
    partEnded(what) {
      if (parts.stopping.aborted) return;
      log.error({ part: what }, 'a server ended by itself');
      onPartLost(what);
    },
  };
}
