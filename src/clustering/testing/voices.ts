import type { LocalSpeakers } from '../cluster';
import { denseOf, transposed } from '../dense';
import fixture from '../fixtures/vbx.json';
import type { Plda } from '../plda';

export const VBX_FIXTURE = fixture;

/** The fixtures' PLDA: 8 dimensions to 6. */
export const SMALL_PLDA: Plda = {
  embeddingMean: Float64Array.from(fixture.plda.embeddingMean),
  discriminant: transposed(denseOf(fixture.plda.discriminant)),
  discriminantMean: Float64Array.from(fixture.plda.discriminantMean),
  latentMean: Float64Array.from(fixture.plda.latentMean),
  latent: transposed(denseOf(fixture.plda.latent)),
  betweenCovariance: Float64Array.from(fixture.plda.betweenCovariance),
};

export type RecordingFixture = (typeof fixture.recordings)[number];

/** A recording of the fixtures. */
export function localSpeakersOf(recording: RecordingFixture): LocalSpeakers {
  return {
    ...recording,
    embeddings: Float32Array.from(recording.embeddings, (value) => value ?? NaN),
    activity: Uint8Array.from(recording.activity),
  };
}

/** Numbers in [0, 1) that are the same in every run: a multiplicative congruential generator (Park and Miller). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Normal values by Box and Muller. */
export function seededNormal(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
