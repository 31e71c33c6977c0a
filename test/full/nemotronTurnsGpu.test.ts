/**
 * Decisions and turns of ten minutes with float16 weights on our own WGSL kernels, on Dawn in Node, against float32 weights on WASM:
 * the conversation, the network and the settings of nemotronTurns.
 */
import { expect } from 'vitest';
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { openGpu } from '../../src/gpu/context';
import { GpuNetwork } from '../../src/sortformer/gpuNetwork';
import { GraphNetwork } from '../../src/sortformer/graphNetwork';
import { blobSource } from '../../src/store/byteSource';
import type { WeightsForm } from '../../src/weights/convert';
import { installDawn } from '../gpu/dawn';
import { SPEECH_LAYERS, speechFile } from '../nemotron/speechModel';
import { changesPer10000, MINUTES, runOnce, tenMinutes } from '../nemotron/tenMinutes';
import { NEMOTRON, nemotronGraph } from '../seededNemotron';
import { itUnless } from '../skips';
import { openOnWasm } from '../sortformerNetworkTests';
import { converted } from '../weights/converted';

const missing = await installDawn();
const found = tenMinutes();

const { numSpeakers } = nemotron.streaming;

const weightsOf = (form: WeightsForm): ReturnType<typeof converted> =>
  converted(blobSource(new Blob([speechFile()]), 'speech.safetensors'), nemotronGraph(SPEECH_LAYERS), form);

itUnless(missing ?? ('reason' in found && found.reason))('float16 on a GPU keeps the number of turns in ten minutes', { timeout: 1_800_000 }, async () => {
  const { samples } = (found as Extract<typeof found, { readonly read: unknown }>).read();
  const float32 = await runOnce(await GraphNetwork.open({ ...await weightsOf('float32'), manifest: NEMOTRON, open: openOnWasm }), samples);
  const float16 = await runOnce(await GpuNetwork.open(await openGpu(), { ...await weightsOf('float16'), manifest: NEMOTRON }), samples);
  expect(float16.logits).toHaveLength(float32.logits.length);
  const per10000 = changesPer10000(float32, float16, numSpeakers);
  console.log(`turns: ${float32.turns.length} with float32 on WASM, ${float16.turns.length} with float16 on the GPU; ${per10000.toFixed(1)} of 10,000 frames differ`);
  expect(float32.logits).toHaveLength(MINUTES * 60 * 100 * numSpeakers);
  expect(float32.turns.length).toBeGreaterThan(100);
  // Rounding to float16 changes the values, but no number of turns.
  expect(float16.logits).not.toEqual(float32.logits);
  expect(float16.turns).toHaveLength(float32.turns.length);
});
