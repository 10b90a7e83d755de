import { startChildService, type ChildServiceOptions } from '../start/child-service.ts';
import { startTemporalProxy, type ProxyHooks } from './temporal-proxy.ts';

export type WorkerSlot = {
  ready: Promise<unknown>;
  /** Lets it ask for work. */
  open: () => void;
  /** Nothing more passes between it and Temporal, and then SIGKILL. */
  kill: () => Promise<void>;
};

/** A worker process behind a proxy of its own; asks for no work until it is opened. */
export async function startWorkerSlot(
  temporalAddress: string,
  hooks: Pick<ProxyHooks, 'beforeReport' | 'afterAnswer'>,
  service: Omit<ChildServiceOptions, 'onPid'>,
): Promise<WorkerSlot> {
  const gate = Promise.withResolvers<void>();
  const proxy = await startTemporalProxy(temporalAddress, { ...hooks, beforePoll: () => gate.promise });
  const worker = startChildService({
    ...service,
    env: { ...service.env, TEMPORAL_ADDRESS: proxy.address },
    onPid: () => undefined,
  });
  return {
    ready: worker.ready,
    open: gate.resolve,
    kill: async () => {
      proxy.cut();
      await worker.stop(0);
      await proxy.close();
    },
  };
}
