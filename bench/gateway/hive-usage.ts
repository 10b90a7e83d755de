import { reportUsage } from './report-usage.ts';

/** Loaded into Hive Gateway's process: its port is the one that it was told. */
reportUsage(Number(process.env['BENCH_PORT']));
