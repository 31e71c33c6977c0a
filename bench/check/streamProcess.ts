/**
 * Measures the streaming loop of Nemotron 3 Diarization without its network: `tsx bench/check/streamProcess.ts MODE MINUTES`.
 * Prints its figures as JSON.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import manifest from '../../models/nemotron-3-diarization/manifest.json';
import type { StepInput, StreamNetwork } from '../../src/sortformer/network';
import { stream } from '../../src/sortformer/speakerStream';
import type { StreamMode } from '../../src/store/streamModes';
import { parseStreamingSettings } from '../../src/store/streamingSettings';

const MEL_FRAMES_PER_MINUTE = 6000;
const NUM_BINS = manifest.fbank.numMelBins;
const HIDDEN = manifest.tensors.silence.shape[0]!;

export interface StreamFigures {
  /** CPU time of all threads of the process. */
  readonly seconds: number;
  /** Growth of memory in use, without garbage, from the first tenth of the recording to its end. */
  readonly megabytes: number;
  /** Mel frames with logits. */
  readonly numFrames: number;
}

const settings = parseStreamingSettings(manifest.streaming, 'models/nemotron-3-diarization/manifest.json');
const { numSpeakers, melFramesPerEncoderFrame } = settings;

/** Has the sizes of the model. The first values of an embedding are its logits. */
const network: StreamNetwork = {
  numMelBins: NUM_BINS,
  silence: new Float32Array(HIDDEN),
  embed(melFrames) {
    const numFrames = melFrames.length / (NUM_BINS * melFramesPerEncoderFrame);
    const embeddings = new Float32Array(numFrames * HIDDEN);
    for (let frame = 0; frame < numFrames; frame++) {
      const from = frame * NUM_BINS * melFramesPerEncoderFrame;
      embeddings.set(melFrames.subarray(from, from + HIDDEN), frame * HIDDEN);
    }
    return Promise.resolve(embeddings);
  },
  logits({ embeddings, numFrames, firstScoredFrame }: StepInput) {
    const values = melFramesPerEncoderFrame * numSpeakers;
    const logits = new Float32Array((numFrames - firstScoredFrame) * values);
    for (let frame = firstScoredFrame; frame < numFrames; frame++) {
      logits.set(embeddings.subarray(frame * HIDDEN, frame * HIDDEN + values), (frame - firstScoredFrame) * values);
    }
    return Promise.resolve(logits);
  },
};

/** Blocks of mel frames in which the speakers take turns of a few seconds. */
function* blocks(minutes: number): Generator<Float32Array, void> {
  const size = 500;
  let state = 1;
  for (let block = 0; block < (minutes * MEL_FRAMES_PER_MINUTE) / size; block++) {
    yield Float32Array.from({ length: size * NUM_BINS }, (_, index) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const isActive = index % numSpeakers === block % numSpeakers;
      return (isActive ? 4 : -4) + state / 2 ** 30 - 2;
    });
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function megabytesInUse(): number {
  // The memory of typed arrays is released after their objects, by the next collection.
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}

const [mode, minutes] = process.argv.slice(2) as [StreamMode, string];
const before = process.cpuUsage();
let numFrames = 0;
let first = NaN;
let last = NaN;
for await (const decided of stream('melFrames', blocks(Number(minutes)), { network, settings, mode })) {
  numFrames += decided.numFrames;
  const share = numFrames / (Number(minutes) * MEL_FRAMES_PER_MINUTE);
  if (share > 0.1 && Number.isNaN(first)) first = megabytesInUse();
  if (share > 0.99 && Number.isNaN(last)) last = megabytesInUse();
}
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ seconds: (user + system) / 1e6, megabytes: last - first, numFrames } satisfies StreamFigures));
