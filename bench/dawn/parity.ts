import { cosineDistance } from '../../src/clustering/linearAlgebra';
import type { KeptVoices, Turn } from '../../src/index';

/** The outputs of a run that two backends must agree in. */
export interface RunOutputs {
  readonly voices: Pick<KeptVoices, 'activity' | 'embeddings' | 'embedded' | 'numSpeakers' | 'dimension'>;
  readonly turns: readonly Turn[];
}

/** Decisions in which two runs differ. */
export interface Parity {
  readonly numFrames: number;
  /** Frames of windows whose class differs, which is the argmax of their scores. */
  readonly differingFrames: number;
  readonly numEmbeddings: number;
  /** Least cosine of two embeddings of the same local speaker; null without embeddings. */
  readonly leastCosine: number | null;
  /** Embeddings of only one run. */
  readonly unmatchedEmbeddings: number;
  readonly numTurns: number;
  /** Turns of each run that are not in the other, by start, end and speaker. */
  readonly differingTurns: number;
}

/** Compares a run with a reference of the same audio. @throws Error if their windows differ */
export function parityOf(run: RunOutputs, reference: RunOutputs): Parity {
  const [own, other] = [run.voices, reference.voices];
  if (own.activity.length !== other.activity.length || own.embeddings.length !== other.embeddings.length) {
    throw new Error('the runs on WebGPU and WASM have different windows. Expected the same audio and speed.');
  }
  const { numSpeakers, dimension } = own;
  const numFrames = own.activity.length / numSpeakers;
  let differingFrames = 0;
  for (let frame = 0; frame < numFrames; frame++) {
    // Each class is another set of speakers.
    const speakers = Array.from({ length: numSpeakers }, (_, speaker) => frame * numSpeakers + speaker);
    if (speakers.some((cell) => own.activity[cell] !== other.activity[cell])) differingFrames++;
  }
  const cosines: number[] = [];
  let unmatchedEmbeddings = 0;
  for (let from = 0; from < own.embeddings.length; from += dimension) {
    const [a, b] = [own.embeddings.subarray(from, from + dimension), other.embeddings.subarray(from, from + dimension)];
    if (Number.isNaN(a[0]) !== Number.isNaN(b[0])) unmatchedEmbeddings++;
    else if (!Number.isNaN(a[0])) cosines.push(1 - cosineDistance(a, b));
  }
  const [ownTurns, otherTurns] = [run, reference].map(({ turns }) => new Set(turns.map(keyOf)));
  return {
    numFrames,
    differingFrames,
    numEmbeddings: cosines.length + unmatchedEmbeddings,
    leastCosine: cosines.length > 0 ? cosines.reduce((least, value) => Math.min(least, value)) : null,
    unmatchedEmbeddings,
    numTurns: reference.turns.length,
    differingTurns: ownTurns!.size + otherTurns!.size - 2 * [...ownTurns!].filter((key) => otherTurns!.has(key)).length,
  };
}

/** Times as in RTTM, to the millisecond. */
const keyOf = ({ startSeconds, endSeconds, speaker }: Turn): string => `${startSeconds.toFixed(3)} ${endSeconds.toFixed(3)} ${speaker}`;
