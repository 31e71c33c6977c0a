/** A live source that waits for the decisions of each step before its next samples. */
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { fbankGeometry } from '../../src/features/fbank';
import { batchFrames, samplesOfBatch } from '../../src/sortformer/stepSchedule';
import type { StreamMode } from '../../src/store/streamModes';
import { parseStreamingSettings } from '../../src/store/streamingSettings';
import type { StageEvent } from '../../src/engine/stages';
import { NEMOTRON } from '../seededNemotron';

/** Samples of an audio worklet. */
const PIECE_SAMPLES = 128;

export class LiveStream {
  /** Mel frames that were decided whenever the source waited. */
  readonly counts: number[] = [];
  /** What they must be: with each step, another chunk. */
  readonly expected: readonly number[];
  /** Samples of all pieces. */
  readonly numSamples: number;
  private readonly needed: readonly number[];
  private decided = 0;
  private notify: () => void = () => undefined;

  /** @param samples axes (sample), at the rate of the model and long enough for `numSteps` steps */
  constructor(
    private readonly samples: Float32Array,
    mode: StreamMode,
    numSteps: number,
  ) {
    const { first, later } = batchFrames(parseStreamingSettings(nemotron.streaming, NEMOTRON.id), mode);
    const { hopSamples, frameSamples: windowSamples, fftSize } = fbankGeometry(NEMOTRON.fbank, NEMOTRON.sampleRate);
    const steps = Array.from({ length: numSteps }, (_, step) => step);
    this.expected = steps.map((step) => (step + 1) * later);
    this.needed = steps.map((step) => samplesOfBatch(first + step * later, step === 0, { hopSamples, windowSamples, fftSize }));
    this.numSamples = this.needed.at(-1)!;
  }

  /** The hook of the run. */
  readonly hook = ({ stage, artifact }: StageEvent): void => {
    if (stage === 'segmentation' && artifact) this.decided += artifact.shape[0]!;
    this.notify();
  };

  /** Yields exactly the samples of a step in short pieces, then waits for its decisions. Does not end if the step needs more samples. */
  async *pieces(): AsyncGenerator<Float32Array> {
    let place = 0;
    for (const [step, end] of this.needed.entries()) {
      for (; place < end; place += PIECE_SAMPLES) yield this.samples.slice(place, Math.min(end, place + PIECE_SAMPLES));
      place = end;
      while (this.decided < this.expected[step]!) await new Promise<void>((resolve) => { this.notify = resolve; });
      this.counts.push(this.decided);
    }
  }
}
