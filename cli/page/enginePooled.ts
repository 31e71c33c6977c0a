/** Two ways to compute ResNet34 embeddings, for the benchmark: one network run per window, or one per speaker. */
import { openPooledEmbedder } from '../../src/embedding/pooledEmbedder';
import { wasmThreads } from '../../src/engine/backend';
import { loadManifest } from '../../src/store/load';

const WINDOWS = 4;
const FRAMES = 589;
const SPEAKERS = 3;

export interface PooledFigures {
  readonly numWindows: number;
  readonly numSpeakers: number;
  readonly threads: number;
  /** Duration for all windows, including fbank. */
  readonly pooledSeconds: number;
  readonly perSpeakerSeconds: number;
  /** Number of network runs. */
  readonly pooledRuns: number;
  readonly perSpeakerRuns: number;
}

/**
 * Measures on WASM. The weights can be arbitrary, because they do not affect the time.
 *
 * The unmodified network needs one run per speaker: it processes the whole window and applies the speaker's mask at the end.
 *
 * @param file the ONNX file
 */
export async function measurePooled(file: Blob): Promise<PooledFigures> {
  const manifest = await loadManifest('embedding', 'wespeaker-resnet34-lm', new URL('models/', document.baseURI).href);
  const threads = wasmThreads(undefined);
  const options = { runtimeBase: new URL('ort/', document.baseURI).href, threads, gpu: null };
  const embedder = await openPooledEmbedder(new Uint8Array(await file.arrayBuffer()), manifest, options);
  const numSamples = WINDOWS * 10 * manifest.sampleRate;
  const windows = Float32Array.from({ length: numSamples }, (_, i) => Math.sin(i * i) / 8);
  // The three speakers talk one after the other.
  const activity = Uint8Array.from({ length: WINDOWS * FRAMES * SPEAKERS }, (_, i) => {
    const frame = Math.floor(i / SPEAKERS) % FRAMES;
    return Number(Math.floor((frame * SPEAKERS) / FRAMES) === i % SPEAKERS);
  });
  const whole = { windows, activity, numWindows: WINDOWS, numSpeakers: SPEAKERS };
  await embedder.embed(whole);
  const [pooledSeconds, pooledRuns] = await measured(embedder, async () => {
    await embedder.embed(whole);
  });
  const [perSpeakerSeconds, perSpeakerRuns] = await measured(embedder, async () => {
    for (let speaker = 0; speaker < SPEAKERS; speaker++) {
      const own = activity.filter((_, i) => i % SPEAKERS === speaker);
      await embedder.embed({ windows, activity: own, numWindows: WINDOWS, numSpeakers: 1 });
    }
  });
  return { numWindows: WINDOWS, numSpeakers: SPEAKERS, threads, pooledSeconds, perSpeakerSeconds, pooledRuns, perSpeakerRuns };
}

/** Runs `work` and measures its seconds and network runs. */
async function measured(
  embedder: { readonly backboneRuns: number },
  work: () => Promise<void>,
): Promise<[seconds: number, runs: number]> {
  const before = embedder.backboneRuns;
  const start = performance.now();
  await work();
  return [(performance.now() - start) / 1000, embedder.backboneRuns - before];
}
