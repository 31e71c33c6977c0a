import type { Group } from './figure';
import { runJson } from './script';
import type { StreamFigures } from './streamProcess';

const MODES = ['offline', 'ultra_low_latency'] as const;

/** Each run is a separate process, so no other work has an effect on its memory. src/sortformer has tests of the results. */
export const stream: Group = {
  name: 'stream',
  bounds: [
    {
      name: 'stream-doubling',
      what: 'CPU time of the streaming loop over three hours, divided by that of an hour and a half; the greater of two modes',
      unit: '',
      limit: 3,
      side: 'at most',
      reason: 'linear time is a ratio of 2, quadratic time one of 4; other load on the machine changes the ratio by 0.3',
    },
    {
      name: 'stream-memory',
      what: 'growth of memory in use, without garbage, while the streaming loop runs over the last 160 of 180 minutes; the greater of two modes',
      unit: 'MB',
      limit: 2,
      side: 'at most',
      reason: 'the state is constant; absolute because the logits of that time alone take 31 MB, and its mel frames 490 MB',
    },
  ],
  measure: async (wanted, say) => {
    const values: Record<string, number> = {};
    const raise = (name: string, value: number): void => { values[name] = Math.max(value, values[name] ?? 0); };
    for (const mode of MODES) {
      const run = async (minutes: number): Promise<StreamFigures> => {
        say(`  ${mode}, ${minutes} minutes …`);
        return (await runJson('bench/check/streamProcess.ts', [mode, String(minutes)])) as StreamFigures;
      };
      const whole = await run(180);
      if (wanted.has('stream-doubling')) raise('stream-doubling', whole.seconds / (await run(90)).seconds);
      if (wanted.has('stream-memory')) raise('stream-memory', whole.megabytes);
    }
    return values;
  },
};
