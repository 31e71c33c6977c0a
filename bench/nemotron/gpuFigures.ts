/** Figures of Nemotron 3 Diarization on WebGPU: counted work, and the time of an hour, measured on a GPU or estimated. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CLASSES, type GpuClass, secondsOf } from '../dawn/estimate';
import { wavData } from '../dawn/audio';
import { tableOf } from '../profile/report';
import type { GpuRun, NetworkWork } from './gpuRun';
import type * as Run from './gpuRun';
import type { ModeWork } from './gpuWork';

const ROOT = join(import.meta.dirname, '../..');
const SAMPLE = 'public/sample.wav';

/** The length that the limit is for. */
export const HOUR_SECONDS = 3600;
/** Limits of the issue for this preset. */
export const LIMITS = { dispatchesPerChunk: 450, hourSeconds: 6 } as const;

/** Estimated time of an hour on a class of GPUs. */
export interface HourEstimate {
  readonly gpu: GpuClass;
  readonly seconds: number;
}

export interface NemotronGpuFigures {
  readonly limits: typeof LIMITS;
  readonly counted: NetworkWork;
  /** On this machine's GPU; null without one. */
  readonly measured: GpuRun | null;
  /** In offline mode; empty if it was measured. */
  readonly estimates: readonly HourEstimate[];
}

/** Estimates an hour in the formula of {@link secondsOf}: a round trip for each submission, and no recurrence. */
export function estimateHour({ perAudioSecond: { flops, bytes, dispatches, submits, bytesUp, bytesBack } }: ModeWork, gpu: GpuClass): HourEstimate {
  const hour = (perSecond: number): number => HOUR_SECONDS * perSecond;
  const work = { flops: hour(flops), bytes: hour(bytes), dispatches: hour(dispatches), batches: hour(submits), transferred: hour(bytesUp + bytesBack), recurrence: null };
  return { gpu, seconds: secondsOf(work, gpu) };
}

/** Counts the full-size network in all modes, and measures an hour if there is a GPU. */
export async function measureNemotronGpu(say: (line: string) => void): Promise<NemotronGpuFigures> {
  const { countModes, runOnGpu } = await loadRun();
  say('counting the GPU work of Nemotron 3 Diarization …');
  const counted = await countModes();
  const measured = await runOnGpu(sampleValues(), { audioSeconds: HOUR_SECONDS });
  const offline = counted.modes.find(({ mode }) => mode === 'offline')!;
  return { limits: LIMITS, counted, measured, estimates: measured ? [] : CLASSES.map((gpu) => estimateHour(offline, gpu)) };
}

/** Builds the part that imports the kernels, which only a bundler can, and loads it. */
async function loadRun(): Promise<typeof Run> {
  const { buildScriptForNode } = await import('../../scripts/package/code');
  const file = join(ROOT, `node_modules/.cache/voxlane-nemotron/run-${process.pid}.mjs`);
  try {
    await buildScriptForNode('bench/nemotron/gpuRun.ts', file);
    return (await import(pathToFileURL(file).href)) as typeof Run;
  } finally {
    rmSync(file, { force: true });
  }
}

/** The bundled sample: 16-bit mono at 16 kHz. */
function sampleValues(): Float32Array {
  const bytes = wavData(readFileSync(join(ROOT, SAMPLE)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 2 }, (_, i) => view.getInt16(2 * i, true) / 32768);
}

const verdict = (value: number, limit: number): string => (value <= limit ? 'yes' : 'no');

/** Tables for a terminal. */
export function nemotronGpuText({ limits, counted, measured, estimates }: NemotronGpuFigures): string {
  const { form, numLayers, weightBytes, modes } = counted;
  const rows = modes.map(({ mode, chunkSeconds, dispatchesPerChunk, perAudioSecond: { flops, bytes, submits, bytesUp, bytesBack } }) => [
    mode,
    chunkSeconds.toFixed(2),
    String(dispatchesPerChunk),
    String(limits.dispatchesPerChunk),
    verdict(dispatchesPerChunk, limits.dispatchesPerChunk),
    (flops / 1e9).toFixed(2),
    (bytes / 1e6).toFixed(1),
    (bytesUp / 1e3).toFixed(1),
    (bytesBack / 1e3).toFixed(1),
    submits.toFixed(2),
  ]);
  const hour = measured
    ? `60 minutes in offline mode on ${measured.adapter}, measured: ${measured.seconds.toFixed(2)} s; limit ${limits.hourSeconds} s; met: ${verdict(measured.seconds, limits.hourSeconds)}`
    : [
        'ESTIMATE, not a measurement, because there is no GPU: 60 minutes in offline mode, by the formula of bench:gpu -- --estimate',
        tableOf([
          ['class', 'estimated s', 'limit on a GPU', 'met'],
          ...estimates.map(({ gpu, seconds }) => [gpu.name, seconds.toFixed(1), String(limits.hourSeconds), verdict(seconds, limits.hourSeconds)]),
        ]),
      ].join('\n');
  return [
    `\nNemotron 3 Diarization on WebGPU, ${numLayers} layers, weights as ${form} (${(weightBytes / 1e6).toFixed(1)} MB on the GPU)`,
    'counted from the dispatches and buffers of the network, with a full state; per second of audio, except the dispatches of a chunk:',
    tableOf([['mode', 's per chunk', 'dispatches per chunk', 'limit', 'met', 'GFLOP', 'MB of GPU memory', 'kB up', 'kB back', 'submits'], ...rows]),
    hour,
  ].join('\n');
}
