import { VoxlaneError } from '../util/errors';
import { concatenate } from '../util/values';
import { ChunkLoop, type ChunkLoopOptions, type StreamLogits } from './chunkLoop';
import { type FrontEnd, SampleFramer } from './sampleFramer';
import { batchFrames } from './stepSchedule';

/** What is pushed: samples, for which a front end computes mel frames, or mel frames. */
export type StreamInput = 'samples' | 'melFrames';

export interface StreamOptions extends ChunkLoopOptions {
  /** Required for samples. A network with a filterbank uses it for the last batch only. */
  readonly frontEnd?: FrontEnd | undefined;
  /** Called after each step with the number of mel frames from the start that have logits. */
  readonly onProgress?: ((decidedFrames: number) => void) | undefined;
}

/**
 * Speaker activity of one recording or live stream. The size of the pushes does not change the results. After an error, or
 * after `signal` has fired, every call rejects with the same error.
 */
export class SpeakerStream {
  private readonly loop: ChunkLoop;
  private readonly framer: SampleFramer | null;
  /** Settles after the last call, so steps run one after another. */
  private tail: Promise<unknown> = Promise.resolve();
  private hasEnded = false;

  /** @throws VoxlaneError `options` if there is no front end for samples */
  constructor(
    input: StreamInput,
    private readonly options: StreamOptions,
  ) {
    const { settings, mode, frontEnd } = options;
    const { first, later } = batchFrames(settings, mode);
    this.loop = new ChunkLoop(options);
    if (input === 'samples' && !frontEnd) throw misuse('There is no front end for samples', 'the option frontEnd');
    this.framer = input === 'samples' && frontEnd ? new SampleFramer(frontEnd, first, later) : null;
  }

  /**
   * Accepts samples or mel frames, as chosen at construction, and runs the steps that they complete.
   *
   * @param values axes (sample), or axes (mel frame, mel); float32, any length. Do not change them before the promise settles
   * @returns logits of the frames that were decided; often none
   * @throws VoxlaneError `options`, `audio-not-finite`, `model-output`, `model-invalid`, `cancelled`, and the errors of the
   *   network and the front end
   */
  push(values: Float32Array): Promise<StreamLogits> {
    return this.enqueue(() => this.steps(values));
  }

  /**
   * Runs the last steps. The stream accepts nothing afterward.
   *
   * @returns logits of the last frames
   * @throws VoxlaneError like {@link push}
   */
  finish(): Promise<StreamLogits> {
    return this.enqueue(() => this.lastSteps());
  }

  private enqueue(work: () => AsyncGenerator<StreamLogits>): Promise<StreamLogits> {
    const result = this.tail.then(() => this.gather(work()));
    this.tail = result;
    return result;
  }

  private async gather(steps: AsyncGenerator<StreamLogits>): Promise<StreamLogits> {
    const pieces: Float32Array[] = [];
    const firstFrame = this.loop.numDecided;
    for await (const { logits } of steps) {
      pieces.push(logits);
      this.options.onProgress?.(this.loop.numDecided);
    }
    return { logits: concatenate(pieces), firstFrame, numFrames: this.loop.numDecided - firstFrame };
  }

  private async *steps(values: Float32Array): AsyncGenerator<StreamLogits> {
    if (this.hasEnded) throw misuse('The stream has ended', 'no calls after finish');
    if (!this.framer) yield* this.loop.push(values);
    else if (this.options.network.embedSamples) for (const batch of this.framer.batches(values)) yield* this.loop.pushSamples(batch);
    else for await (const melFrames of this.framer.push(values)) yield* this.loop.push(melFrames);
  }

  private async *lastSteps(): AsyncGenerator<StreamLogits> {
    if (this.hasEnded) throw misuse('The stream has ended', 'no calls after finish');
    this.hasEnded = true;
    // The front end computes the last frames also if the network has a filterbank: a part of a batch, which ends with frames of padding.
    yield* this.loop.finish(await this.framer?.finish());
  }
}

/**
 * Runs a {@link SpeakerStream} over blocks of any size and yields the logits of each step, or of a few, as soon as they are
 * decided. Memory does not depend on the length of the recording.
 *
 * @param blocks axes (sample), or axes (mel frame, mel); float32
 * @throws VoxlaneError like {@link SpeakerStream.push}
 */
export async function* stream(
  input: StreamInput,
  blocks: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  options: StreamOptions,
): AsyncGenerator<StreamLogits> {
  const speakers = new SpeakerStream(input, options);
  const piece = input === 'samples' ? MAX_SAMPLES : MAX_MEL_FRAMES * options.network.numMelBins;
  for await (const block of blocks) {
    for (let start = 0; start < block.length; start += piece) {
      const decided = await speakers.push(block.subarray(start, start + piece));
      if (decided.numFrames > 0) yield decided;
    }
  }
  const last = await speakers.finish();
  if (last.numFrames > 0) yield last;
}

/** Size of the pieces of large blocks: a bound on the logits in memory. */
const MAX_SAMPLES = 65_536;
const MAX_MEL_FRAMES = 512;

function misuse(problem: string, expected: string): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem, expected, remedy: 'Change the call and run again' });
}
