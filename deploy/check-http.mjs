// Health check of a container: exit code 0 when the address answers with a 2xx status.
const response = await fetch(process.argv[2], { signal: AbortSignal.timeout(4_000) }).catch(() => null);
process.exitCode = response?.ok ? 0 : 1;
