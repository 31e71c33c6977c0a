/**
 * Nemotron 3 Diarization over ten minutes of speech in each mode, on WASM, against the reference class with small layers. All else is
 * as in the model: front end, chunks, FIFO, speaker cache, speakers. nemotronPipeline.test.ts and nemotronFullSize.test.ts
 * have layers of full size.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseGraphAlone } from '../../src/onnx/model';
import type { ModelProto } from '../../src/onnx/onnx_pb';
import golden from '../../src/sortformer/fixtures/narrow.json';
import { GraphNetwork } from '../../src/sortformer/graphNetwork';
import { seededTensors } from '../../src/sortformer/seededNetwork';
import type { SpeakerCache } from '../../src/sortformer/speakerCache';
import { STREAMING_MODES } from '../../src/store/streamModes';
import { uniform } from '../../src/util/uniform';
import { concatenate } from '../../src/util/values';
import { variedSpeech } from '../nemotron/variedSpeech';
import { NEMOTRON } from '../seededNemotron';
import { comparePipeline, inflatedFrom, type PipelineCase, type PipelineGoldens, sampleRecording } from '../sortformerPipelineGoldens';
import { openOnWasm } from '../sortformerNetworkTests';

const NUM_SPEAKERS = 8;
/** All modes take this long on a machine with other work. */
const TIMEOUT_MS = 1_200_000;
/**
 * Greatest error of a sum over the state, as a share of the spread of such sums: the bound of the issue for logits. Frames in another
 * order, or another frame, change a sum by about a tenth of its spread or more.
 */
const MAX_SUM_SHARE = 1e-3;

const inflated = inflatedFrom('src/sortformer/fixtures/narrow.bin');

function audio(numSamples: number): Float32Array {
  const recording = sampleRecording();
  const blocks = Array.from({ length: Math.ceil(numSamples / recording.length) }, (_, block) => variedSpeech(recording, block));
  return concatenate(blocks).subarray(0, numSamples);
}

/** Bits of the changes from frame to frame, with axes (speaker, mel frame); the first frame is compared with silence. */
function decisions(one: PipelineCase): (index: number) => boolean {
  const changes = inflated(one.decisions);
  const rowBytes = changes.length / NUM_SPEAKERS;
  const active = new Uint8Array(one.numFrames * NUM_SPEAKERS);
  for (let speaker = 0; speaker < NUM_SPEAKERS; speaker++) {
    let isActive = 0;
    for (let frame = 0; frame < one.numFrames; frame++) {
      isActive ^= (changes[speaker * rowBytes + (frame >> 3)]! >> (7 - (frame & 7))) & 1;
      active[frame * NUM_SPEAKERS + speaker] = isActive;
    }
  }
  return (index) => active[index] === 1;
}

const goldens: PipelineGoldens = { ...golden, inflated, audio, decisions };

/** The small network with seeded weights. */
function openNarrow(): Promise<GraphNetwork> {
  const model: ModelProto = parseGraphAlone(readFileSync('src/sortformer/fixtures/narrow.onnx'), 'narrow.onnx');
  const weights = new Map(Array.from(seededTensors(model, NEMOTRON), ([name, { data }]) => [name, new Uint8Array(data.buffer)]));
  const { tensors } = NEMOTRON;
  const ofHidden = <Tensor extends { readonly shape: readonly (number | null)[] }>(tensor: Tensor): Tensor =>
    ({ ...tensor, shape: [...tensor.shape.slice(0, -1), golden.hiddenSize] });
  const narrow = { ...tensors, stacked: ofHidden(tensors.stacked), embeds: ofHidden(tensors.embeds), silence: ofHidden(tensors.silence) };
  return GraphNetwork.open({ model, weights, manifest: { ...NEMOTRON, tensors: narrow }, open: openOnWasm });
}

/** Compares the embeddings and probabilities of each state with the sums of the reference. */
class SumChecker {
  greatestShare = 0;
  private readonly expected: Float32Array;
  private readonly weights = new Map<number, Float32Array>();

  constructor(one: (typeof golden.cases)[number]) {
    this.expected = new Float32Array(inflated(one.sums).buffer);
  }

  get numSteps(): number {
    return this.expected.length / 2;
  }

  check(step: number, { cache, fifo, probabilities }: SpeakerCache): void {
    this.compare(this.expected[step]!, golden.embeddingSeed, concatenate([cache, fifo]));
    this.compare(this.expected[this.numSteps + step]!, golden.probabilitySeed, probabilities);
  }

  private compare(expected: number, seed: number, values: Float32Array): void {
    if (values.length === 0) {
      expect(expected).toBe(0);
      return;
    }
    const known = this.weights.get(seed);
    const weights = known && known.length >= values.length ? known : uniform(seed, values.length);
    this.weights.set(seed, weights);
    let sum = 0;
    let squares = 0;
    for (const [index, value] of values.entries()) {
      sum += weights[index]! * value;
      squares += value * value;
    }
    // Independent weights with a uniform distribution in [-1, 1) have a variance of a third.
    const share = Math.abs(sum - expected) / Math.sqrt(squares / 3);
    // NaN compares false with everything and must not pass.
    if (!(share <= this.greatestShare)) this.greatestShare = Number.isNaN(share) ? Infinity : share;
  }
}

it('there is a case of ten minutes for each mode', () => {
  expect(golden.cases.map(({ mode }) => mode)).toEqual(['offline', ...STREAMING_MODES]);
  expect(golden.cases.every(({ numFrames }) => numFrames === 60_000)).toBe(true);
});

it.each(golden.cases.map((one) => [one.mode, one] as const))('has the states and decisions of the reference over ten minutes: %s', { timeout: TIMEOUT_MS }, async (_mode, one) => {
  const network = await openNarrow();
  const sums = new SumChecker(one);
  let numCompressed = 0;
  const { differingDecisions, numDecisions, maxLogitDifference } = await comparePipeline(one, network, goldens, ({ index, state }) => {
    sums.check(index, state);
    if (state.isCompressed) numCompressed++;
  });
  await network.release();
  console.log(
    `${one.mode}, ${sums.numSteps} steps: ${differingDecisions} of ${numDecisions} decisions differ; logits by ${(maxLogitDifference / one.spread).toExponential(1)} of their spread, ` +
      `sums over states by ${sums.greatestShare.toExponential(1)}`,
  );
  expect(sums.greatestShare).toBeLessThanOrEqual(MAX_SUM_SHARE);
  // The cache is compressed after 708 of 7,500 encoder frames at the latest.
  expect(numCompressed / sums.numSteps).toBeGreaterThan(0.85);
});
