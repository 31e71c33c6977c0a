/**
 * Decisions and turns of ten minutes with float32, float16 and int8 weights on WASM. Random weights result in no turns, so the head of
 * the seeded network is trained to find speech: its decisions have margins like those of a real model. The speakers of the
 * conversation are not those of the training.
 */
import { expect } from 'vitest';
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { parseRttm } from '../../src/formats/rttm';
import { diarizationErrorRate } from '../../src/score/der';
import { GraphNetwork } from '../../src/sortformer/graphNetwork';
import { blobSource } from '../../src/store/byteSource';
import { parseStreamingSettings } from '../../src/store/streamingSettings';
import type { IndexedTurn, Turn } from '../../src/timeline/turns';
import type { WeightsForm } from '../../src/weights/convert';
import { SPEECH_LAYERS, speechFile } from '../nemotron/speechModel';
import { changesPer10000, MINUTES, type Run, runOnce, tenMinutes } from '../nemotron/tenMinutes';
import { NEMOTRON, nemotronGraph } from '../seededNemotron';
import { converted } from '../weights/converted';
import { openOnWasm } from '../sortformerNetworkTests';
import { itUnless } from '../skips';

const found = tenMinutes();

const settings = parseStreamingSettings(nemotron.streaming, NEMOTRON.id);

async function run(samples: Float32Array, form: WeightsForm): Promise<Run> {
  const { model, weights } = await converted(blobSource(new Blob([speechFile()]), 'speech.safetensors'), nemotronGraph(SPEECH_LAYERS), form);
  return runOnce(await GraphNetwork.open({ model, weights, manifest: NEMOTRON, open: openOnWasm }), samples);
}

/** Share of frames that only the run or only the reference counts as speech. */
function speechError({ logits }: Run, reference: readonly Turn[]): number {
  const { numSpeakers } = settings;
  const numFrames = logits.length / numSpeakers;
  const isSpeech = new Uint8Array(numFrames);
  for (const { startSeconds, endSeconds } of reference) isSpeech.fill(1, Math.round(100 * startSeconds), Math.round(100 * endSeconds));
  const wrong = isSpeech.reduce((sum, speech, frame) => sum + (logits[frame * numSpeakers]! > 0 === (speech === 1) ? 0 : 1), 0);
  return wrong / numFrames;
}

/** Standard deviation of the logits of speech. */
function spreadOf({ logits }: Run): number {
  const own = logits.filter((_, i) => i % settings.numSpeakers === 0);
  const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
  return Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length);
}

const named = (turns: readonly IndexedTurn[]): Turn[] =>
  turns.map(({ startSeconds, endSeconds, speakerIndex }) => ({ startSeconds, endSeconds, speaker: String(speakerIndex) }));

itUnless('reason' in found && found.reason)('float16 and int8 keep the number of turns in ten minutes', { timeout: 900_000 }, async () => {
  const { samples, rttm } = (found as Extract<typeof found, { readonly read: unknown }>).read();
  const [reference] = [...parseRttm(rttm).values()] as [Turn[]];
  const float32 = await run(samples, 'float32');
  const float16 = await run(samples, 'float16');
  const int8 = await run(samples, 'int8');
  const numFrames = float32.logits.length / settings.numSpeakers;
  const halves = changesPer10000(float32, float16, settings.numSpeakers);
  const per10000 = changesPer10000(float32, int8, settings.numSpeakers);
  const greatest = int8.logits.reduce((most, logit, i) => Math.max(most, Math.abs(logit - float32.logits[i]!)), 0) / spreadOf(float32);
  const error = speechError(float32, reference);
  const { der } = diarizationErrorRate(named(float32.turns), named(int8.turns));
  console.log(`turns: ${float32.turns.length} with float32, ${float16.turns.length} with float16, ${int8.turns.length} with int8; ${halves.toFixed(1)} of 10,000 frames differ with float16, ${per10000.toFixed(1)} with int8; DER of int8 against float32 ${(100 * der).toFixed(3)} %, greatest error ${greatest.toExponential(1)} of the spread of the logits; ${(100 * error).toFixed(1)} % of frames differ from the reference`);
  expect(numFrames).toBe(MINUTES * 60 * 100);
  // The readout finds speech, with pauses: the reference has about 150 turns.
  expect(float32.turns.length).toBeGreaterThan(100);
  expect(float32.turns.length).toBeLessThan(300);
  expect(error).toBeLessThan(0.15);
  // Rounding to float16 changes the values, but no number of turns.
  expect(float16.logits).not.toEqual(float32.logits);
  expect(float16.turns).toHaveLength(float32.turns.length);
  // So does int8, with the bounds for a port with float32 weights: equal decisions in 99.99 % of the frames, and logits within 1e-3 of their spread.
  expect(int8.logits).not.toEqual(float32.logits);
  expect(int8.turns).toHaveLength(float32.turns.length);
  expect(per10000).toBeLessThanOrEqual(1);
  expect(greatest).toBeLessThan(1e-3);
});
