import { setEnvironmentData } from 'node:worker_threads';
import type * as Library from '../../src/index';
import type { DiarizationResult, Speed } from '../../src/index';
import { repeatedWav } from './audio';
import { METER_KEY, type MeterData, newCounts, type StageCounts, takeCounts } from './meterShare';
import type { Models } from './models';
import { type Parity, parityOf, type RunOutputs } from './parity';
import { GPU_STAGES, type GpuStage } from './stages';
import { flopsOf, workloadOf } from './workload';

/** GPU work of a stage in a run. */
export interface StageFigures extends StageCounts {
  /** Seconds that the worker of the stage waited. */
  readonly seconds: number;
  readonly flops: number;
}

/** One measured run. */
export interface RunFigures {
  readonly speed: Speed;
  readonly audioSeconds: number;
  readonly wallSeconds: number;
  readonly gpu: Readonly<Record<GpuStage, StageFigures>>;
  readonly clusteringSeconds: number;
  /** Decoding, counting and reconstruction. */
  readonly restSeconds: number;
  readonly numWindows: number;
  readonly numEmbeddings: number;
  readonly backend: string;
}

export interface ParityFigures extends Parity {
  readonly speed: Speed;
  readonly audioSeconds: number;
}

/** Settings of all runs. */
export interface Setup {
  readonly library: typeof Library;
  readonly models: Models;
  /** Bytes of a 16-bit mono WAV file at 16 kHz. */
  readonly sample: Uint8Array;
  readonly trustGpu: boolean;
  readonly say: (line: string) => void;
}

/** Maximum length of the audio for the comparison with WASM. */
const PARITY_SECONDS = 30;
/** Fills the buffers of the largest batch. */
const WARM_UP_SECONDS = 60;

type Diarizer = Library.Diarizer;

/**
 * Counts the GPU calls of threads that start from now on.
 *
 * @param script address of the bundled `meterThread.ts`
 */
export function startMeter(script: string): SharedArrayBuffer {
  const counts = newCounts();
  const data: MeterData = { counts, dawn: import.meta.resolve('webgpu') };
  setEnvironmentData(METER_KEY, data);
  // The engine passes no flags to its threads, but they read this variable.
  process.env.NODE_OPTIONS = [process.env.NODE_OPTIONS, `--import=${script}`].filter(Boolean).join(' ');
  return counts;
}

/** Measures all lengths at one speed, and compares a piece with WASM if asked. */
export async function measureSpeed(setup: Setup, counts: SharedArrayBuffer, speed: Speed, lengths: readonly number[], withParity: boolean): Promise<{ runs: RunFigures[]; parity: ParityFigures | null }> {
  const { library, trustGpu, say, sample } = setup;
  const pieceSeconds = Math.min(PARITY_SECONDS, lengths[0]!);
  let piece: RunOutputs | null = null;
  const runs: RunFigures[] = [];
  const diarizer = await library.Diarizer.create({ backend: 'webgpu', preset: 'campplus', speed, trustGpu });
  try {
    // Without a self-check, the adapter may be a software adapter, for which this would take an hour.
    if (!trustGpu) await diarizeOnGpu(diarizer, await repeatedWav(sample, Math.min(WARM_UP_SECONDS, lengths.at(-1)!)));
    for (const seconds of lengths) {
      say(`measuring ${seconds} s of audio, ${speed} …`);
      takeCounts(counts);
      const start = performance.now();
      const result = await diarizeOnGpu(diarizer, await repeatedWav(sample, seconds));
      runs.push(figuresOf(result, (performance.now() - start) / 1000, takeCounts(counts), setup.models));
      if (seconds === pieceSeconds) piece = result;
    }
    if (!withParity) return { runs, parity: null };
    say(`comparing ${pieceSeconds} s of audio with WASM …`);
    const audio = await repeatedWav(sample, pieceSeconds);
    piece ??= await diarizeOnGpu(diarizer, audio);
    const wasm = await library.Diarizer.create({ backend: 'wasm', preset: 'campplus', speed });
    try {
      return { runs, parity: { speed, audioSeconds: pieceSeconds, ...parityOf(piece, await diarize(wasm, audio)) } };
    } finally {
      wasm.dispose();
    }
  } finally {
    diarizer.dispose();
  }
}

type Result = DiarizationResult & RunOutputs;

async function diarize(diarizer: Diarizer, audio: Blob): Promise<Result> {
  return (await diarizer.diarize(audio, { keepVoices: true })) as Result;
}

/** @throws Error with a one-line message if the product used WASM instead */
async function diarizeOnGpu(diarizer: Diarizer, audio: Blob): Promise<Result> {
  const result = await diarize(diarizer, audio);
  const { name, reason } = result.backend;
  if (name !== 'webgpu') throw new Error(`the product did not use WebGPU: ${reason}. Measure the GPU anyway with --trust-gpu`);
  return result;
}

function figuresOf(result: Result, wallSeconds: number, counts: Record<GpuStage, StageCounts>, models: Models): RunFigures {
  const { speed, durationSeconds, timings, backend } = result;
  const workload = workloadOf(result.voices, speed, models);
  const flops = flopsOf(workload, models);
  const seconds = (stage: keyof typeof timings): number => timings[stage] ?? 0;
  return {
    speed,
    audioSeconds: durationSeconds,
    wallSeconds,
    gpu: Object.fromEntries(
      GPU_STAGES.map((stage) => [stage, { ...counts[stage], seconds: seconds(stage), flops: flops[stage] }]),
    ) as RunFigures['gpu'],
    clusteringSeconds: seconds('clustering'),
    restSeconds: seconds('decode') + seconds('counting') + seconds('reconstruction'),
    numWindows: workload.numWindows,
    numEmbeddings: workload.voiceFrames.flat().length,
    backend: backend.reason,
  };
}

/** Outputs of a run on WASM, which needs no GPU. */
export async function runOnWasm({ library, sample }: Pick<Setup, 'library' | 'sample'>, seconds: number): Promise<RunOutputs> {
  const diarizer = await library.Diarizer.create({ backend: 'wasm', preset: 'campplus', speed: 'exact' });
  try {
    return await diarize(diarizer, await repeatedWav(sample, seconds));
  } finally {
    diarizer.dispose();
  }
}
