/** Recordings of a model that follows speakers itself, with synthetic voices. */
import type { TwoCovariance } from '../../src/clustering/plda';
import { VoiceTable } from '../../src/clustering/localSpeakers';
import { seededNormal } from './random';

export const IDENTITY_FRAMES = 20;
/** Windows of 6.8 s, as those of nemotron. */
export const IDENTITY_FRAME_SECONDS = 0.34;
const DIMENSION = 48;
/** Deviation of an embedding from its voice, whose values have unit variance. */
const NOISE = 0.3;
const BETWEEN = 1 / NOISE ** 2;

/** The PLDA from which the voices are drawn. Embeddings are scaled to √dimension, so their total variance is 1. */
export const IDENTITY_PLDA: TwoCovariance = {
  form: 'two-covariance',
  embeddingMean: new Float64Array(DIMENSION),
  normalizedMean: new Float64Array(DIMENSION),
  latent: {
    data: Float64Array.from({ length: DIMENSION * DIMENSION }, (_, i) => (i % (DIMENSION + 1) === 0 ? Math.sqrt(1 + BETWEEN) : 0)),
    numRows: DIMENSION,
    numColumns: DIMENSION,
  },
  betweenCovariance: new Float64Array(DIMENSION).fill(BETWEEN),
};

/** Speech of one identity in one window. */
export interface PlantedSpeech {
  readonly window: number;
  readonly identity: number;
  /** Number of the voice; null for speech without an embedding. */
  readonly voice: number | null;
  /** First frame, and the frame after the last. Default: its own part of the window, without overlap. */
  readonly frames?: readonly [number, number];
}

/** @param numIdentities identities of the model; each has an equal part of the frames by default */
export function identityTable(numIdentities: number, speech: readonly PlantedSpeech[]): VoiceTable {
  const normal = seededNormal(11);
  const voices = Array.from({ length: 32 }, () => Float64Array.from({ length: DIMENSION }, normal));
  const numWindows = Math.max(...speech.map(({ window }) => window)) + 1;
  const activity = new Uint8Array(numWindows * IDENTITY_FRAMES * numIdentities);
  const embeddings = new Float32Array(numWindows * numIdentities * DIMENSION).fill(NaN);
  for (const { window, identity, voice, frames } of speech) {
    const own = IDENTITY_FRAMES / numIdentities;
    const [from, to] = frames ?? [Math.floor(identity * own), Math.floor((identity + 1) * own)];
    for (let frame = from; frame < to; frame++) activity[(window * IDENTITY_FRAMES + frame) * numIdentities + identity] = 1;
    if (voice === null) continue;
    const values = voices[voice]!.map((value) => value + NOISE * normal());
    embeddings.set(values, (window * numIdentities + identity) * DIMENSION);
  }
  return new VoiceTable({ activity, embeddings, numWindows, numFrames: IDENTITY_FRAMES, numSpeakers: numIdentities, dimension: DIMENSION });
}

/** Speech of all identities in all windows. @param voiceOf voice of an identity in a window; undefined if it is silent */
export function plantedSpeech(numWindows: number, numIdentities: number, voiceOf: (window: number, identity: number) => number | null | undefined): PlantedSpeech[] {
  return Array.from({ length: numWindows * numIdentities }, (_, row) => ({ window: Math.floor(row / numIdentities), identity: row % numIdentities })).flatMap(
    ({ window, identity }) => {
      const voice = voiceOf(window, identity);
      return voice === undefined ? [] : [{ window, identity, voice }];
    },
  );
}
