import createSpeexModule, { type SpeexModule } from '@echogarden/speex-resampler-wasm/simd';
import { VoxlaneError } from '../util/errors';
import { HOST, START_AGAIN } from '../util/host';

/**
 * Speex's scale is 0 to 10. Quality 7 is the lowest that preserves speech. Measured at all usual rates, it is within
 * 0.001 dB up to 0.9 of the lower Nyquist frequency (7.2 kHz of 8), down 6 dB at 0.95, and 100 dB down from 1.03.
 * Quality 6 loses 0.2 dB at 0.9. Quality 8 takes a third more time for a passband that ends at 0.92.
 */
const QUALITY = 7;
const BLOCK_SAMPLES = 16_384;
const FLOAT_BYTES = 4;

/** Length of `sourceSamples` at the target rate, to the nearest sample. */
export function resampledLength(sourceSamples: number, sourceRate: number, targetRate: number): number {
  return Math.round((sourceSamples * targetRate) / sourceRate);
}

/**
 * The shortest common period of both sample grids: `source` source samples last as long as `target` output samples.
 */
export function commonPeriod(sourceRate: number, targetRate: number): { source: number; target: number } {
  const divisor = greatestCommonDivisor(sourceRate, targetRate);
  return { source: sourceRate / divisor, target: targetRate / divisor };
}

/**
 * Resamples one mono stream in pieces with the band-limited Speex resampler.
 *
 * Output sample n is the source at the time n / targetRate: the filter is symmetric, and its delay is removed. The
 * division into pieces does not affect the output. The total output length is {@link resampledLength}.
 */
export class Resampler {
  readonly #speex: SpeexModule;
  /** One allocation: two lengths, an input block and an output block. Null after `close`. */
  #memory: { readonly state: number; readonly buffers: number } | null;
  /** Number of source samples before and after an output sample that affect it. */
  readonly reach: number;
  /** Number of source samples so far. */
  #taken = 0;
  /** Number of output samples so far. */
  #given = 0;

  private constructor(
    speex: SpeexModule,
    readonly sourceRate: number,
    readonly targetRate: number,
  ) {
    this.#speex = speex;
    const buffers = speex._malloc((2 + 2 * BLOCK_SAMPLES) * FLOAT_BYTES);
    // The memory of the first length is not used yet, so it receives the error code.
    const state = buffers && speex._speex_resampler_init(1, sourceRate, targetRate, QUALITY, buffers);
    if (state === 0) {
      speex._free(buffers);
      throw new VoxlaneError({
        code: 'audio-unsupported',
        problem: `The audio cannot be resampled from ${sourceRate} to ${targetRate} Hz: there is not enough memory for the filter`,
      });
    }
    speex._speex_resampler_skip_zeros(state);
    this.#memory = { state, buffers };
    this.reach = speex._speex_resampler_get_input_latency(state);
  }

  /**
   * Creates a resampler. It must be closed, even after `flush`.
   *
   * @param sourceRate integer, in Hz
   * @param targetRate integer, in Hz
   * @throws VoxlaneError `worker-failed` if the WASM module cannot be loaded; `audio-unsupported` if there is not
   *   enough memory for the filter because the rates differ too much
   */
  static async create(sourceRate: number, targetRate: number): Promise<Resampler> {
    return new Resampler(await loadSpeex(), sourceRate, targetRate);
  }

  /**
   * @param samples axes (sample), source rate
   * @returns axes (sample), target rate: the output determined by the samples so far; may be empty
   * @throws VoxlaneError `disposed`
   */
  process(samples: Float32Array): Float32Array {
    this.#taken += samples.length;
    return this.#push(samples, this.#taken);
  }

  /**
   * @returns the end of the output, axes (sample), target rate. The stream cannot be used afterward.
   * @throws VoxlaneError `disposed`
   */
  flush(): Float32Array {
    const missing = resampledLength(this.#taken, this.sourceRate, this.targetRate) - this.#given;
    // The last output sample lies before the end of the source and needs this number of samples after its position.
    const silence = new Float32Array(this.reach + 1);
    return this.#push(silence, this.#taken + silence.length).subarray(0, missing);
  }

  /** Frees the WASM memory. Repeated calls have no effect. */
  close(): void {
    if (!this.#memory) return;
    this.#speex._speex_resampler_destroy(this.#memory.state);
    this.#speex._free(this.#memory.buffers);
    this.#memory = null;
  }

  /** @param fed total source samples, including these */
  #push(samples: Float32Array, fed: number): Float32Array {
    if (!this.#memory) throw new VoxlaneError({ code: 'disposed', problem: 'The resampler is closed' });
    const { state, buffers } = this.#memory;
    const lengths = buffers / FLOAT_BYTES;
    const input = lengths + 2;
    const output = input + BLOCK_SAMPLES;
    // Another resampler may have grown the heap, so the views are read again. Nothing in the loop allocates.
    const { HEAPF32, HEAPU32 } = this.#speex;
    const room = Math.ceil((fed * this.targetRate) / this.sourceRate) - this.#given;
    const result = new Float32Array(room);
    let written = 0;
    for (let start = 0; start < samples.length; start += HEAPU32[lengths]) {
      const block = samples.subarray(start, start + BLOCK_SAMPLES);
      HEAPF32.set(block, input);
      HEAPU32[lengths] = block.length;
      HEAPU32[lengths + 1] = BLOCK_SAMPLES;
      // When upsampling, the output may be full before the whole block is consumed. Errors are ignored because they
      // only concern allocation, and the resampler does not allocate after its creation.
      this.#speex._speex_resampler_process_float(
        state,
        0,
        input * FLOAT_BYTES,
        lengths * FLOAT_BYTES,
        output * FLOAT_BYTES,
        (lengths + 1) * FLOAT_BYTES,
      );
      const count = HEAPU32[lengths + 1]!;
      result.set(HEAPF32.subarray(output, output + count), written);
      written += count;
    }
    this.#given += written;
    return result.subarray(0, written);
  }
}

let speexModule: Promise<SpeexModule> | undefined;

/** One module for all resamplers of this thread. After a failed load, the next resampler tries again. */
function loadSpeex(): Promise<SpeexModule> {
  speexModule ??= startSpeex().catch((cause: unknown) => {
    speexModule = undefined;
    throw new VoxlaneError(
      {
        code: 'worker-failed',
        problem: 'The resampler could not be started',
        remedy: `${START_AGAIN}. If ${HOST} has no WASM SIMD, update it`,
      },
      { cause },
    );
  });
  return speexModule;
}

/** Without a bundler, the package locates its WASM file itself. */
async function startSpeex(): Promise<SpeexModule> {
  const wasmBinary = await import('virtual:wasm/speex-resampler').then(({ default: bytes }) => bytes, () => undefined);
  return createSpeexModule({ wasmBinary });
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
