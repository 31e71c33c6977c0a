import type { EmbeddingManifest } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import type { Embedder } from './embedder';

const SECONDS = 1;
/** Minimum and maximum norm of a plausible embedding. Networks return values around 1. */
const NORMS = { least: 1e-2, most: 1e4 };
/** If the embeddings of two voices are more similar than this, the model does not distinguish voices. */
const MAX_COSINE = 0.99999;

/**
 * Synthesizes one second of a vowel-like sound: harmonics of a slightly rising pitch, under a formant, with a little
 * noise. For checks that need structured sound without a recording.
 *
 * @param pitchHertz of the voice
 * @returns axes (sample), float32 in [-1, 1]
 */
export function testSpeech(sampleRate: number, pitchHertz: number): Float32Array {
  const numSamples = SECONDS * sampleRate;
  const numHarmonics = Math.floor(sampleRate / 2 / (1.2 * pitchHertz));
  let seed = 1;
  return Float32Array.from({ length: numSamples }, (_, i) => {
    const time = i / sampleRate;
    const phase = 2 * Math.PI * pitchHertz * (time + 0.05 * time * time);
    let value = 0;
    for (let k = 1; k <= numHarmonics; k++) {
      const distance = (k * pitchHertz - 700) / 600;
      value += Math.sin(k * phase) / (1 + distance * distance) / k;
    }
    // Park and Miller's generator, for reproducible noise.
    seed = (seed * 48271) % 2147483647;
    return 0.2 * value + 0.002 * (seed / 2147483647 - 0.5);
  });
}

/** Pitches of the voices of {@link testConversation}. */
const PITCHES_HERTZ = [110, 170, 240];

/**
 * Synthesizes voices of different pitches in turns of one second, with occasional pauses.
 *
 * @param seed integer; different seeds produce different conversations
 * @returns axes (sample), float32 in [-1, 1]
 */
export function testConversation(sampleRate: number, numSamples: number, seed: number): Float32Array {
  const samples = new Float32Array(numSamples);
  const second = SECONDS * sampleRate;
  for (let start = 0, turn = 0; start < numSamples; start += second, turn++) {
    const pitch = PITCHES_HERTZ[(turn + seed) % PITCHES_HERTZ.length]! * (1 + 0.02 * ((7 * turn + 3 * seed) % 11));
    // Pauses are faint, because digital silence would have unusual features.
    const gain = (turn + 2 * seed) % 5 === 3 ? 0.01 : 1;
    const voice = testSpeech(sampleRate, pitch).subarray(0, numSamples - start);
    samples.set(voice.map((value) => gain * value), start);
  }
  return samples;
}

/**
 * Checks that an unknown model returns plausible embeddings: of the right size, finite, with a plausible norm, and
 * different for different voices.
 *
 * @throws VoxlaneError `model-invalid` with the problem
 */
export async function checkHealth(embedder: Embedder, { id, sampleRate, embeddingSize }: EmbeddingManifest): Promise<void> {
  const [low, high] = [110, 220].map((pitch) => testSpeech(sampleRate, pitch)) as [Float32Array, Float32Array];
  const embeddings = [await embed(embedder, low), await embed(embedder, high)] as const;
  for (const embedding of embeddings) {
    if (embedding.length !== embeddingSize) throw unhealthy(id, `embeddings have ${embedding.length} values`, `${embeddingSize} values`);
    const norm = Math.hypot(...embedding);
    if (!(norm >= NORMS.least && norm <= NORMS.most)) {
      throw unhealthy(id, `an embedding has the norm ${norm}`, `${NORMS.least} to ${NORMS.most}`);
    }
  }
  const cosine = cosineOf(...embeddings);
  if (cosine > MAX_COSINE) throw unhealthy(id, 'two different voices have the same embedding', 'different embeddings');
}

const embed = (embedder: Embedder, samples: Float32Array): Promise<Float32Array> =>
  embedder.embedSegment(samples, () => undefined);

function cosineOf(left: Float32Array, right: Float32Array): number {
  const dot = left.reduce((sum, value, index) => sum + value * right[index]!, 0);
  return dot / (Math.hypot(...left) * Math.hypot(...right));
}

function unhealthy(id: string, found: string, expected: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-invalid',
    problem: `The file does not work as ${id}: ${found}`,
    expected,
    remedy: 'Use one of the files listed in the manifest',
  });
}
