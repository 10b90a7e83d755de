/** Times one run after another, and then several at a time; the last line of stdout is the answer. */
const RUNS = Number(process.env.BENCH_RUNS);
const LANES = Number(process.env.BENCH_LANES);
export const STEPS = Number(process.env.BENCH_STEPS);

export async function measure(runOnce) {
  for (let index = 0; index < 3; index += 1) await runOnce();
  const walls = [];
  for (let index = 0; index < RUNS; index += 1) {
    const begun = performance.now();
    await runOnce();
    walls.push(performance.now() - begun);
  }
  let left = RUNS * 2;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await runOnce();
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: LANES }, lane));
  const stepsPerSecond = (RUNS * 2 * STEPS * 1000) / (performance.now() - begun);
  process.stdout.write(`${JSON.stringify({ walls, stepsPerSecond })}\n`);
}
