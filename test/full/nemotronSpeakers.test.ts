/**
 * A requested number of speakers with nemotron, on real voices. The official weights are not available, so the logits are made of
 * exact references, with planted errors of the identities. Everything else is that of a run: decoding, CAM++, clustering, turns.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, vi } from 'vitest';
import { serveWorkers } from '../nemotron/threadlessMocks';
import { makeConversations } from '../../cli/evaluate/conversations';
import { Diarizer } from '../../src/engine/diarizer';
import type { DiarizeOptions } from '../../src/engine/types';
import { parseRttm } from '../../src/formats/rttm';
import { diarizationErrorRate } from '../../src/score/der';
import { loadDiarizationFacts } from '../../src/store/loadDiarization';
import type { Turn } from '../../src/timeline/turns';
import type { EmbeddingWorkerApi, SortformerWorkerApi } from '../../workers/contracts';
import { fetchFiles } from '../gpu/openInNode';
import { served } from '../nemotron/threadless';
import { hasShared, SHARED, SHARED_MISSING } from '../shared';
import { itUnless } from '../skips';

await serveWorkers('decode', 'embedding', 'clustering');

const MODELS = new URL('../../models/', import.meta.url).href;
const SAMPLE_RATE = 16_000;
const HOP_SAMPLES = 160;
const NUM_IDENTITIES = 8;
/** Mel frames of a chunk in offline mode. */
const SPAN_FRAMES = 2720;
/** Far from the threshold on both sides. */
const LOGIT = 4;

/** Identity of a speaker of the reference, numbered by first turn, in a span. */
type Numbering = (speaker: number, span: number, numSpans: number) => number;

/** What the stand-in for the model returns. */
let oracle = { turns: [] as readonly Turn[], numbering: ((speaker) => speaker) as Numbering, numSpans: 0 };
let received = 0;
let decided = 0;

/** Decides the frames up to `end`. */
function decide(end: number): Awaited<ReturnType<SortformerWorkerApi['push']>> {
  const { turns, numbering, numSpans } = oracle;
  const labels = [...new Set(turns.map(({ speaker }) => speaker))];
  const firstFrame = decided;
  decided = Math.max(decided, end);
  const numFrames = decided - firstFrame;
  const logits = new Float32Array(numFrames * NUM_IDENTITIES).fill(-LOGIT);
  const frameOf = (seconds: number): number => Math.round((seconds * SAMPLE_RATE) / HOP_SAMPLES);
  for (const { startSeconds, endSeconds, speaker } of turns) {
    for (let frame = Math.max(firstFrame, frameOf(startSeconds)); frame < Math.min(decided, frameOf(endSeconds)); frame++) {
      const identity = numbering(labels.indexOf(speaker), Math.floor(frame / SPAN_FRAMES), numSpans);
      logits[(frame - firstFrame) * NUM_IDENTITIES + identity] = LOGIT;
    }
  }
  return { logits, firstFrame, numFrames, seconds: 0 };
}

const standIn: SortformerWorkerApi = {
  selfCheck: () => Promise.resolve({ model: 'nemotron-3-diarization', backend: 'wasm', passed: true, seconds: 0, stages: [] }),
  load: async () => ({ ...(await loadDiarizationFacts('nemotron-3-diarization', MODELS)), sha256: 'oracle', note: null }),
  begin: () => { [received, decided] = [0, 0]; },
  push: (samples) => {
    received += samples.length;
    // A step also needs its look-ahead.
    return Promise.resolve(decide(Math.max(0, Math.floor(received / HOP_SAMPLES / SPAN_FRAMES) - 1) * SPAN_FRAMES));
  },
  finish: () => Promise.resolve(decide(Math.floor(received / HOP_SAMPLES))),
};

vi.mock(import('../../src/engine/defaultFiles'), () => ({ defaultFiles: () => Promise.resolve({ models: MODELS, runtime: new URL('../../node_modules/onnxruntime-web/dist/', import.meta.url).href, goldens: '' }) }));

beforeEach(() => {
  fetchFiles();
  vi.stubGlobal('document', { baseURI: 'https://example.org/' });
  vi.stubGlobal('navigator', { userAgent: `Node ${process.version}`, hardwareConcurrency: 1 });
  served.set('sortformer', standIn);
  // Other tests run the self-check.
  vi.spyOn(served.get('embedding') as EmbeddingWorkerApi, 'selfCheck').mockResolvedValue({ passed: true, stages: [] } as never);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

/** Generates two conversations of the list. @returns their folder, or why they cannot be generated */
function conversations(): { readonly made: string } | { readonly reason: string } {
  if (!hasShared) return { reason: SHARED_MISSING };
  const generator = join(SHARED, 'conversations');
  const list = join(folder, 'list.json');
  const all = JSON.parse(readFileSync(join(generator, 'conversations.json'), 'utf8')) as readonly { readonly name: string }[];
  writeFileSync(list, JSON.stringify(all.filter(({ name }) => name === 'five_clean' || name === 'ten_far')));
  const script = { script: join(generator, 'make.py'), args: (out: string) => [join(generator, 'speech'), out, '--list', list], sources: [join(generator, 'make.py'), list] };
  try {
    return { made: makeConversations(script, folder, () => undefined) };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

const found = process.env.VOXLANE_FULL ? conversations() : { reason: 'only in the full tests' };

/** The reference has milliseconds, and the frames have 10 ms. About a turn per 3 s has two edges, each at most 5 ms off. */
const ROUNDING = 0.01;

/** Runs one conversation with planted identities, and returns DER and number of speakers for each set of options. */
async function ratesOf(name: string, numbering: Numbering, runs: readonly DiarizeOptions[]): Promise<{ readonly der: number; readonly speakers: number; readonly confident: boolean }[]> {
  const { made } = found as { readonly made: string };
  const file = readFileSync(join(made, `${name}.wav`));
  const start = file.indexOf('data') + 8;
  const samples = Float32Array.from({ length: (file.length - start) / 2 }, (_, i) => file.readInt16LE(start + 2 * i) / 32768);
  const [turns] = [...parseRttm(readFileSync(join(made, `${name}.rttm`), 'utf8')).values()] as [Turn[]];
  oracle = { turns, numbering, numSpans: Math.ceil(samples.length / HOP_SAMPLES / SPAN_FRAMES) };
  using diarizer = await Diarizer.create({ preset: 'nemotron' });
  const rates = [];
  for (const run of runs) {
    const result = await diarizer.diarize(samples, { sampleRate: SAMPLE_RATE, ...run });
    const confident = result.turns.some(({ confidence }) => confidence != null);
    rates.push({ der: diarizationErrorRate(turns, result.turns).der, speakers: result.speakers.length, confident });
  }
  console.log(`${name}: ${rates.map(({ der, speakers }, index) => `${JSON.stringify(runs[index])} DER ${(100 * der).toFixed(2)} %, ${speakers} speakers`).join('; ')}`);
  return rates;
}

itUnless('reason' in found && found.reason)('correct identities stand, and remain with their exact number', { timeout: 600_000 }, async () => {
  const rates = await ratesOf('five_clean', (speaker) => speaker, [{}, { speakers: 5 }]);
  for (const { der, speakers } of rates) {
    expect(der).toBeLessThan(ROUNDING);
    expect(speakers).toBe(5);
  }
  expect(rates.map(({ confident }) => confident)).toEqual([false, true]);
});

itUnless('reason' in found && found.reason)('repairs two exchanged speakers and a divided one', { timeout: 600_000 }, async () => {
  const numbering: Numbering = (speaker, span, numSpans) => {
    if (span < numSpans / 2) return speaker;
    return [1, 0, 7][speaker] ?? speaker;
  };
  const [own, exact, most] = await ratesOf('five_clean', numbering, [{}, { speakers: 5 }, { maxSpeakers: 5 }]);
  expect(own).toMatchObject({ speakers: 6, confident: false });
  expect(own!.der).toBeGreaterThan(0.15);
  for (const one of [exact!, most!]) {
    expect(one).toMatchObject({ speakers: 5, confident: true });
    expect(one.der).toBeLessThan(ROUNDING);
  }
});

itUnless('reason' in found && found.reason)('finds ten speakers, four of whom share identities', { timeout: 600_000 }, async () => {
  const [own, exact, least] = await ratesOf('ten_far', (speaker) => speaker % NUM_IDENTITIES, [{}, { speakers: 10 }, { minSpeakers: 10 }]);
  expect(own!.speakers).toBe(8);
  for (const one of [exact!, least!]) {
    expect(one.speakers).toBe(10);
    // In some spans, both speakers of an identity talk: those cannot be separated.
    expect(one.der).toBeLessThan(own!.der / 2);
  }
});
