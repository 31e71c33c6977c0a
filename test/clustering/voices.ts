import type { LocalSpeakers } from '../../src/clustering/localSpeakers';
import { denseOf, transposed } from '../../src/clustering/linearAlgebra';
import fixture from '../../src/clustering/fixtures/vbx.json';
import type { Plda } from '../../src/clustering/plda';
import { seededNormal, seededRandom } from './random';

export const VBX_FIXTURE = fixture;

/** The PLDA of the fixtures: 8 to 6 dimensions. */
export const SMALL_PLDA: Plda = {
  form: 'lda',
  embeddingMean: Float64Array.from(fixture.plda.embeddingMean),
  discriminant: transposed(denseOf(fixture.plda.discriminant)),
  discriminantMean: Float64Array.from(fixture.plda.discriminantMean),
  latentMean: Float64Array.from(fixture.plda.latentMean),
  latent: transposed(denseOf(fixture.plda.latent)),
  betweenCovariance: Float64Array.from(fixture.plda.betweenCovariance),
};

export type RecordingFixture = (typeof fixture.recordings)[number];

/** Local speakers of a recording in the fixtures. */
export function localSpeakersOf(recording: RecordingFixture): LocalSpeakers {
  return {
    ...recording,
    embeddings: Float32Array.from(recording.embeddings, (value) => value ?? NaN),
    activity: Uint8Array.from(recording.activity),
  };
}

/** A segment of one speaker in overlapping windows. */
interface Segment {
  readonly voice: Float64Array;
  readonly tone: Float64Array;
  drift: Float64Array;
  numWindowsLeft: number;
}

/** Standard deviations relative to the length of a voice vector: between segments, within a segment, and per value. */
const TONE = 0.6;
const DRIFT = 0.5;
const GRAIN = 0.2;
/** Correlation of a window's drift with that of the previous window. */
const OVERLAP = 0.85;
/** The variance decreases by a factor of e over this number of dimensions. */
const DECAY = 50;

/**
 * Unit embeddings similar to those of a long conversation: three local speakers per window, similar adjacent windows, larger
 * differences between segments of a speaker, and most of the variance in few directions.
 *
 * @returns axes (embedding, dimension)
 */
export function conversation(numEmbeddings: number, dimension: number, numVoices: number, seed: number): Float32Array[] {
  const normal = seededNormal(seed);
  const random = seededRandom(seed + 1);
  const spectrum = Float64Array.from({ length: dimension }, (_, k) => Math.exp(-k / DECAY / 2));
  const norm = Math.hypot(...spectrum);
  const draw = (scale: number): Float64Array => spectrum.map((value) => (value / norm) * scale * normal());
  const voices = Array.from({ length: numVoices }, () => draw(1));
  const newSegment = (): Segment => ({
    voice: voices[Math.floor(random() * numVoices)]!,
    tone: draw(TONE),
    drift: draw(DRIFT),
    numWindowsLeft: 1 + Math.floor(30 * random()),
  });
  const places = [newSegment(), newSegment(), newSegment()];
  return Array.from({ length: numEmbeddings }, (_, i) => {
    const place = i % places.length;
    if (places[place]!.numWindowsLeft === 0) places[place] = newSegment();
    const segment = places[place]!;
    const change = draw(DRIFT * Math.sqrt(1 - OVERLAP * OVERLAP));
    segment.drift = segment.drift.map((value, k) => OVERLAP * value + change[k]!);
    segment.numWindowsLeft--;
    const { voice, tone, drift } = segment;
    const values = voice.map((value, k) => value + tone[k]! + drift[k]! + (GRAIN / Math.sqrt(dimension)) * normal());
    const length = Math.hypot(...values);
    return Float32Array.from(values, (value) => value / length);
  });
}
