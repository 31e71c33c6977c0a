import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Group, Say } from './figure';
import type { NemotronFigures } from './nemotronProcess';
import type { ProductFigures } from './productProcess';
import { runJson } from './script';

const SCRIPT = 'bench/check/nemotronProcess.ts';
/** Four offline steps and a shorter one; the last ones have a full state. */
const SECONDS = 120;
const THREADS = 2;

/** Full size, seeded weights, offline mode, in a separate process. test/full/nemotronForms.test.ts tests the results. */
export const nemotron: Group = {
  name: 'nemotron',
  bounds: [
    {
      name: 'nemotron-product',
      what: 'processor time of a product of 684 frames with an int8 matrix of 512 × 2,048 in two parts, divided by that with float32',
      unit: '',
      limit: 1.1,
      side: 'at most',
      reason: 'the runtime converts each weight to float32 before the product of 684 multiplications for each; a tenth for other load',
    },
    {
      name: 'nemotron-rtf',
      what: `processor time of Nemotron 3 Diarization as int8 on WASM per second of audio, divided by its ${THREADS} threads`,
      unit: '',
      limit: 0.25,
      side: 'at most',
      reason: 'on two cores an hour takes a quarter of an hour; processor time, because other load on the machine changes the elapsed time',
    },
    {
      name: 'nemotron-memory',
      what: 'greatest memory of the same process, with Node and the weights',
      unit: 'MB',
      limit: 900,
      side: 'at most',
      reason: 'a browser tab on a machine with 4 GB; absolute because the weights alone take 200 MB, and the file with them as much again while they are loaded',
    },
  ],
  measure: async (wanted, say) => ({
    ...(wanted.has('nemotron-product') ? await measureProduct(say) : {}),
    ...(wanted.has('nemotron-rtf') || wanted.has('nemotron-memory') ? await measureRun(say) : {}),
  }),
};

async function measureProduct(say: Say): Promise<Record<string, number>> {
  const figures = (await runJson('bench/check/productProcess.ts', [])) as ProductFigures;
  for (const [way, milliseconds] of Object.entries(figures)) say(`  ${way}: ${milliseconds.toFixed(1)} ms of processor time`);
  return { 'nemotron-product': figures.int8 / figures.float32 };
}

async function measureRun(say: Say): Promise<Record<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'voxlane-nemotron-'));
  const path = join(folder, 'int8.safetensors');
  try {
    say('  writing seeded weights …');
    await promisify(execFile)(process.execPath, ['--import', 'tsx', SCRIPT, 'write', 'int8', path]);
    say(`  ${SECONDS} seconds of audio …`);
    const figures = (await runJson(SCRIPT, ['run', 'int8', path, String(SECONDS)])) as NemotronFigures;
    const { audioSeconds, wallSeconds, cpuSeconds, networkCpuSeconds, peakMegabytes, wasmMegabytes } = figures;
    say(`  ${(cpuSeconds / audioSeconds).toFixed(3)} s of processor time per second of audio, ${(networkCpuSeconds / audioSeconds).toFixed(3)} of it in the network`);
    say(`  ${(wallSeconds / audioSeconds).toFixed(3)} s of elapsed time per second of audio; ${wasmMegabytes.toFixed(0)} MB in the runtime's memory`);
    return { 'nemotron-rtf': cpuSeconds / audioSeconds / THREADS, 'nemotron-memory': peakMegabytes };
  } finally {
    await rm(folder, { recursive: true });
  }
}
