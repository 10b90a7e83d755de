import { DefaultLogger, Runtime } from '@temporalio/worker';

/** Expected failures would otherwise fill the test output. */
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
