import createSpeexModule, { type SpeexModule } from '@echogarden/speex-resampler-wasm/simd';
import { VoxlaneError } from '../util/errors';

/**
 * Speex's scale is 0 to 10. 7 is the least that leaves speech whole: measured at all usual rates, it is within
 * 0.001 dB up to 0.9 of the lower Nyquist frequency (7.2 kHz of 8), down 6 dB at 0.95, and 100 dB down from 1.03.
 * Quality 6 takes off 0.2 dB at 0.9 already; 8 costs a third more time for a passband that ends at 0.92.
 */
const QUALITY = 7;
const BLOCK_SAMPLES = 16_384;
const FLOAT_BYTES = 4;

/** Length of `sourceSamples` at the target rate, to the nearest sample. */
export function resampledLength(sourceSamples: number, sourceRate: number, targetRate: number): number {
  return Math.round((sourceSamples * targetRate) / sourceRate);
}

/**
 * Source samples after which both grids meet again: `source` of them last as long as `target` output samples.
 */
export function commonPeriod(sourceRate: number, targetRate: number): { source: number; target: number } {
  const divisor = greatestCommonDivisor(sourceRate, targetRate);
  return { source: sourceRate / divisor, target: targetRate / divisor };
}

/**
 * Band-limited change of the sample rate of one mono stream that comes in pieces, by the Speex resampler.
 *
 * Output sample n is the source at the time n / targetRate: the filter is symmetric, and its delay is taken off.
 * The pieces' borders do not show in the output, and the output is as long as {@link resampledLength} says.
 */
export class Resampler {
  readonly #speex: SpeexModule;
  /** All at once: two lengths, then a block of input and one of output. Null when closed. */
  #memory: { readonly state: number; readonly buffers: number } | null;
  /** Source samples on either side of an output sample that it depends on. */
  readonly reach: number;
  /** Source samples so far. */
  #taken = 0;
  /** Output samples so far. */
  #given = 0;

  private constructor(
    speex: SpeexModule,
    readonly sourceRate: number,
    readonly targetRate: number,
  ) {
    this.#speex = speex;
    const buffers = speex._malloc((2 + 2 * BLOCK_SAMPLES) * FLOAT_BYTES);
    // The first length's place is free as yet and takes the error code.
    const state = buffers && speex._speex_resampler_init(1, sourceRate, targetRate, QUALITY, buffers);
    if (state === 0) {
      speex._free(buffers);
      throw new VoxlaneError({
        code: 'audio-unsupported',
        problem: `The sound cannot be brought from ${sourceRate} to ${targetRate} Hz: there is no memory for the filter`,
      });
    }
    speex._speex_resampler_skip_zeros(state);
    this.#memory = { state, buffers };
    this.reach = speex._speex_resampler_get_input_latency(state);
  }

  /**
   * Must be closed, also after `flush`.
   *
   * @param sourceRate @param targetRate whole numbers of samples per second
   * @throws VoxlaneError `worker-failed` where the WASM module cannot be loaded; `audio-unsupported` for rates so
   *   far apart that there is no memory for the filter
   */
  static async create(sourceRate: number, targetRate: number): Promise<Resampler> {
    return new Resampler(await loadSpeex(), sourceRate, targetRate);
  }

  /**
   * @param samples axes (sample), source rate
   * @returns axes (sample), target rate: all that is settled by the samples so far; may be empty
   * @throws VoxlaneError `disposed`
   */
  process(samples: Float32Array): Float32Array {
    this.#taken += samples.length;
    return this.#push(samples, this.#taken);
  }

  /**
   * @returns the end of the output, axes (sample), target rate. The stream is over after it.
   * @throws VoxlaneError `disposed`
   */
  flush(): Float32Array {
    const missing = resampledLength(this.#taken, this.sourceRate, this.targetRate) - this.#given;
    // The last output sample lies before the end of the source, and needs this much beyond its own place.
    const silence = new Float32Array(this.reach + 1);
    return this.#push(silence, this.#taken + silence.length).subarray(0, missing);
  }

  /** Frees the WASM memory. May be called again. */
  close(): void {
    if (!this.#memory) return;
    this.#speex._speex_resampler_destroy(this.#memory.state);
    this.#speex._free(this.#memory.buffers);
    this.#memory = null;
  }

  /** @param fed source samples up to and with these */
  #push(samples: Float32Array, fed: number): Float32Array {
    if (!this.#memory) throw new VoxlaneError({ code: 'disposed', problem: 'The resampler is closed' });
    const { state, buffers } = this.#memory;
    const lengths = buffers / FLOAT_BYTES;
    const input = lengths + 2;
    const output = input + BLOCK_SAMPLES;
    // Another resampler may have made the heap grow, so the views are taken anew; nothing in the loop allocates.
    const { HEAPF32, HEAPU32 } = this.#speex;
    const room = Math.ceil((fed * this.targetRate) / this.sourceRate) - this.#given;
    const result = new Float32Array(room);
    let written = 0;
    for (let start = 0; start < samples.length; start += HEAPU32[lengths]) {
      const block = samples.subarray(start, start + BLOCK_SAMPLES);
      HEAPF32.set(block, input);
      HEAPU32[lengths] = block.length;
      HEAPU32[lengths + 1] = BLOCK_SAMPLES;
      // Where the rate rises, the output may be full before all of the block is taken. Its only errors are those
      // of allocation, which it does not do once it is made.
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

/** One module for all resamplers of this thread; a failed load is tried again by the next one. */
function loadSpeex(): Promise<SpeexModule> {
  speexModule ??= startSpeex().catch((cause: unknown) => {
    speexModule = undefined;
    throw new VoxlaneError(
      {
        code: 'worker-failed',
        problem: 'The resampler cannot be started',
        remedy: 'Reload the page; a browser without WASM SIMD must be updated',
      },
      { cause },
    );
  });
  return speexModule;
}

/** In programs that run the source without a bundler the package finds its file by itself. */
async function startSpeex(): Promise<SpeexModule> {
  const wasmBinary = await import('virtual:wasm/speex-resampler').then(({ default: bytes }) => bytes, () => undefined);
  return createSpeexModule({ wasmBinary });
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
