/** Number of worker processes and their settings, from the resources of the machine. */
import { isWindowed, type PresetId } from '../../src/engine/settings';
import type { Machine } from './machine';

/**
 * Memory of one worker process with its engine and a batch of {@link DEFAULT_BATCH} windows, without the recording:
 * 480 MB resident after 30 clips of 3 s on WASM with one thread, 445 MB after three runs of the sample of 30 s, and a
 * quarter more. `npm run --silent bench:corpus -- clips` prints it.
 */
export const WORKER_BYTES = 600e6;
/**
 * The same with `nemotron` and stored weights. In full size, an engine that downloads and converts them to int8 has a peak of 760 MB,
 * also in runs. Float32 weights, which are used if int8 fails its self-check, have a peak of 1.28 GB. A quarter more than that.
 * It does not depend on the length of the recording, and there are no batches.
 */
export const STREAMED_WORKER_BYTES = 1.6e9;
/**
 * The same with `--model`. The file is read in parts. With int8, the peak is 960 MB if its hash is unknown: the converted weights are in
 * memory until they are checked and stored. Float32 weights were not measured; they add at most one copy of the file, 397 MB.
 */
export const STREAMED_FILE_WORKER_BYTES = 2e9;
/** Further memory of each window of a batch above {@link DEFAULT_BATCH}. */
const WINDOW_BYTES = 40 * 2 ** 20;
/** Windows per batch on WASM; the library's default. */
export const DEFAULT_BATCH = 4;
/** Model outputs of a recording: 45 MB for three hours; clustering copies them. */
const BYTES_PER_SECOND = 3 * (45e6 / (3 * 3600));
/** Part of the free memory that is left to other processes and to this one. */
const RESERVED_SHARE = 0.1;
/** Memory of a GPU for one worker: models, and a batch of up to 32 windows. */
const GPU_WORKER_BYTES = 3 * 2 ** 30;

export interface SizingInput extends Machine {
  readonly backend: 'wasm' | 'webgpu';
  readonly preset: PresetId;
  /** Whether each worker reads the model from a file of the user. */
  readonly hasModelFile: boolean;
  /** Free memory of the GPU; null if unknown, or on WASM. */
  readonly gpuBytes: number | null;
  /** Number of files to process. */
  readonly files: number;
  /** Length of the longest file. */
  readonly longestSeconds: number;
  /** `--workers`. */
  readonly workers?: number;
  /** `--threads`. */
  readonly threads?: number;
  /** `--batch`. */
  readonly batch?: number;
}

export interface Sizing {
  readonly workers: number;
  /** Threads of each worker on WASM; 1 if there is a worker per core, or if the preset has one model. */
  readonly threads: number;
  /** Windows per batch; undefined for the library's choice. */
  readonly batch: number | undefined;
  /** A worker that uses more memory is replaced after its current file. */
  readonly workerLimitBytes: number;
  /** Why there are this many workers, for the user. */
  readonly reason: string;
}

/**
 * One worker per core, if memory allows and there are enough files. Single-threaded workers are faster than one worker
 * with several threads, because threads wait for each other.
 *
 * On a GPU, its memory is the limit; if it is unknown, one worker. If not even one worker fits into memory, a single worker
 * takes one window at a time.
 */
export function size(input: SizingInput): Sizing {
  const { cores, backend, gpuBytes, files, longestSeconds } = input;
  const usable = input.availableBytes * (1 - RESERVED_SHARE);
  const hasWindows = isWindowed(input.preset);
  const ofWindows = longestSeconds * BYTES_PER_SECOND + Math.max(0, (input.batch ?? DEFAULT_BATCH) - DEFAULT_BATCH) * WINDOW_BYTES;
  const ofStreamed = input.hasModelFile ? STREAMED_FILE_WORKER_BYTES : STREAMED_WORKER_BYTES;
  const perWorker = hasWindows ? WORKER_BYTES + ofWindows : ofStreamed;
  const limits: readonly (readonly [number, string])[] = [
    [cores, `${cores} ${cores === 1 ? 'core' : 'cores'}`],
    [Math.floor(usable / perWorker), `${gigabytes(input.availableBytes)} of free memory, ${gigabytes(perWorker)} per worker`],
    [files, `${files} ${files === 1 ? 'file' : 'files'}`],
    ...(backend === 'webgpu' ? [gpuLimit(gpuBytes)] : []),
  ];
  const [fewest, reason] = limits.reduce((least, limit) => (limit[0] < least[0] ? limit : least));
  const workers = input.workers ?? Math.max(1, fewest);
  const isTight = usable < perWorker;
  return {
    workers,
    // ONNX Runtime has one thread in Node. Windows are shared among threads of our own.
    threads: input.threads ?? (hasWindows ? Math.max(1, Math.floor(cores / workers)) : 1),
    batch: input.batch ?? (isTight && hasWindows && backend === 'wasm' ? 1 : undefined),
    workerLimitBytes: Math.max(perWorker, usable / workers),
    reason: input.workers === undefined ? reason : '--workers',
  };
}

function gpuLimit(bytes: number | null): readonly [number, string] {
  if (bytes === null) return [1, 'a GPU of unknown memory'];
  return [Math.max(1, Math.floor(bytes / GPU_WORKER_BYTES)), `${gigabytes(bytes)} of free GPU memory`];
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** Files after which a worker's memory counts as settled. */
const SETTLING_FILES = 5;
/** Growth that is normal, because heaps grow in steps. */
const SLACK_BYTES = 256 * 2 ** 20;

/**
 * Whether to replace a worker because its memory has grown: above twice the highest value of its first files, or above
 * its share of the machine's memory. Memory of WebAssembly never shrinks, so a long recording can cause it, too.
 *
 * @param history resident memory after each file of the worker, in bytes
 */
export function hasGrown(history: readonly number[], limitBytes: number): boolean {
  const now = history.at(-1) ?? 0;
  if (now > limitBytes) return true;
  if (history.length <= SETTLING_FILES) return false;
  const settled = Math.max(...history.slice(0, SETTLING_FILES));
  return now > 2 * settled + SLACK_BYTES;
}
