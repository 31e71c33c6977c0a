import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Group, Say } from './figure';
import type { PartFigures } from './nemotronProcess';

const SCRIPT = 'bench/check/nemotronProcess.ts';
/** A quarter of an hour each, if the recording has three hours. A multiple of three. */
const NUM_PARTS = 12;
const VARIABLE = 'VOXLANE_HOURS';
const hours = Number(process.env[VARIABLE] ?? 0);
const NAMES = { time: 'nemotron-hours-time', memory: 'nemotron-hours-memory', used: 'nemotron-hours-used' };

/**
 * A long recording in full size: seeded weights, int8 weights on WASM with two threads, offline mode. The length is that of the
 * variable VOXLANE_HOURS, because three hours take ten minutes or more.
 */
export const nemotronHours: Group = {
  name: 'nemotron-hours',
  bounds: [
    {
      name: NAMES.time,
      what: 'processor time of the last third of a recording of VOXLANE_HOURS hours, divided by that of the first third',
      unit: '',
      limit: 1.5,
      side: 'at most',
      reason: 'linear time is a ratio of 1, quadratic time one of 5; other load on the machine changes the ratio by 0.3',
    },
    {
      name: NAMES.memory,
      what: 'greatest resident memory in the last third, divided by that in the first third',
      unit: '',
      limit: 1.1,
      side: 'at most',
      reason: 'the state is constant; heaps grow in steps, but the samples or mel frames of two hours would be 370 or 740 MB, of about 600',
    },
    {
      name: NAMES.used,
      what: 'growth of the memory of objects and arrays, without garbage, per hour after the first third; turns are not kept',
      unit: 'MB/h',
      limit: 4,
      side: 'at most',
      reason: 'the state is constant; absolute because the logits of an hour alone take 11.5 MB',
    },
  ],
  ...(hours > 0 ? {} : { unavailable: Object.fromEntries(Object.values(NAMES).map((name) => [name, `set ${VARIABLE}; with 3, it takes ten minutes or more`])) }),
  measure: async (_wanted, say) => figuresOf(await measureParts(hours * 3600, say)),
};

/**
 * Compares the last third of the parts with the first third.
 *
 * @param parts of equal length, at least three
 */
export function figuresOf(parts: readonly PartFigures[]): Record<string, number> {
  const third = Math.floor(parts.length / 3);
  const [first, last] = [parts.slice(0, third), parts.slice(-third)];
  const total = (some: readonly PartFigures[]): number => some.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const greatest = (some: readonly PartFigures[]): number => Math.max(...some.map(({ residentMegabytes }) => residentMegabytes));
  // The source of samples ends before the last part does.
  const [from, to] = [first.at(-1)!, parts.at(-2)!];
  return {
    [NAMES.time]: total(last) / total(first),
    [NAMES.memory]: greatest(last) / greatest(first),
    [NAMES.used]: ((to.usedMegabytes - from.usedMegabytes) * 3600) / (to.audioSeconds - from.audioSeconds),
  };
}

async function measureParts(seconds: number, say: Say): Promise<PartFigures[]> {
  const folder = await mkdtemp(join(tmpdir(), 'voxlane-nemotron-'));
  const path = join(folder, 'int8.safetensors');
  try {
    say('  writing seeded weights …');
    await promisify(execFile)(process.execPath, ['--import', 'tsx', SCRIPT, 'write', 'int8', path]);
    say('  minutes  elapsed s  processor s  resident MB  used MB  runtime MB');
    const parts: PartFigures[] = [];
    for await (const line of lines(['parts', path, String(seconds), String(NUM_PARTS)])) {
      const part = JSON.parse(line) as PartFigures;
      parts.push(part);
      const { audioSeconds, wallSeconds, cpuSeconds, residentMegabytes, usedMegabytes, wasmMegabytes } = part;
      const columns = [audioSeconds / 60, wallSeconds, cpuSeconds, residentMegabytes, usedMegabytes, wasmMegabytes].map((value) => value.toFixed(1));
      say(`  ${columns.map((text, index) => text.padStart([7, 9, 11, 11, 7, 10][index]!)).join('  ')}`);
    }
    if (parts.length < NUM_PARTS) throw new Error(`${seconds} s of audio have only ${parts.length} parts; set ${VARIABLE} to 0.2 or more`);
    return parts;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Lines of the script as they appear. */
async function* lines(args: readonly string[]): AsyncGenerator<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const end = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  yield* createInterface({ input: child.stdout });
  const code = await end;
  if (code !== 0) throw new Error(`${SCRIPT} ended with code ${code}`);
}
