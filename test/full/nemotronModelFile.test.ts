/**
 * The preset nemotron with the published weights, if the folder VOXLANE_MODELS has them, and with a seeded file of four layers that
 * its manifest names: binding, conversion, self-check and the sample.
 */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, expect } from 'vitest';
import { findModel } from '../../cli/modelFolder';
import { loadNodeEngine } from '../../cli/nodeEngine';
import { parseRttm } from '../../src/formats/rttm';
import { diarizationErrorRate } from '../../src/score/der';
import { blobSource } from '../../src/store/byteSource';
import { parseDiarizationManifest } from '../../src/store/diarizationManifest';
import { bindWeights } from '../../src/weights/bind';
import { convertedBytes } from '../../src/weights/convert';
import { expectedWeights } from '../../src/weights/expected';
import { openSafetensors } from '../../src/weights/safetensors';
import { writeSeededFolder } from '../nemotron/modelFolder';
import { NEMOTRON, nemotronGraph } from '../seededNemotron';
import { itUnless, type SkipReason } from '../skips';

const SEEDED_LAYERS = 4;
const { name, bytes: publishedBytes, sha256: publishedSha256 } = NEMOTRON.weights;
const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
  delete process.env.VOXLANE_CACHE;
});

/** @returns why there are no published weights; null if they are there */
async function reasonWithout(path: string | undefined): Promise<SkipReason> {
  if (path === undefined) return `VOXLANE_MODELS names no folder with ${name} of ${NEMOTRON.id}`;
  const { size } = statSync(path);
  if (size !== publishedBytes) return `${name} in VOXLANE_MODELS has ${size} bytes, not the ${publishedBytes} of the manifest`;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex') === publishedSha256 ? null : `${name} in VOXLANE_MODELS has another SHA-256 than the manifest`;
}

interface Outcome {
  readonly der: number;
  readonly numSpeakers: number;
  readonly numTurns: number;
}

/**
 * Opens the preset with a file, and diarizes the sample.
 *
 * @param models address of the folder with the model's folder
 */
async function outcomeOf(file: File, numLayers: number, models: URL): Promise<Outcome> {
  const manifest = parseDiarizationManifest(JSON.parse(readFileSync(new URL(`${NEMOTRON.id}/manifest.json`, models), 'utf8')), NEMOTRON.id);
  const expected = expectedWeights(nemotronGraph(numLayers));
  const { tensors } = bindWeights(await openSafetensors(blobSource(file, file.name)), expected);
  expect(tensors).toHaveLength(manifest.weights.numTensors);

  process.env.VOXLANE_CACHE = mkdtempSync(join(folder, 'cache-'));
  const library = await loadNodeEngine();
  const diarizer = await library.Diarizer.create({ preset: 'nemotron', backend: 'wasm', models: models.href, hub: null, modelFile: file });
  expect(diarizer.backend).toMatchObject({ name: 'wasm', selfCheck: [{ backend: 'wasm', passed: true }] });
  expect((await library.storedModels()).map(({ bytes }) => bytes)).toContain(convertedBytes(expected, 'int8'));
  const wav = readFileSync('public/sample.wav');
  const start = wav.indexOf('data') + 8;
  const samples = Float32Array.from({ length: (wav.length - start) / 2 }, (_, i) => wav.readInt16LE(start + 2 * i) / 32_768);
  const { turns, modelNote, models: used } = await diarizer.diarize(samples, { sampleRate: NEMOTRON.sampleRate });
  diarizer.dispose();
  // The hash is the manifest's.
  expect(modelNote).toBeNull();
  expect(used.map(({ sha256 }) => sha256)).toContain(manifest.weights.sha256);
  const [reference = []] = parseRttm(readFileSync('public/sample.rttm', 'utf8')).values();
  const { der } = diarizationErrorRate(reference, turns);
  return { der, numSpeakers: new Set(turns.map(({ speaker }) => speaker)).size, numTurns: turns.length };
}

const path = findModel('nemotron');
/** Random weights have a greater error rate. */
const MAX_DER = 0.5;

itUnless(await reasonWithout(path))('the published weights bind, convert, pass the self-check and diarize the sample', { timeout: 600_000 }, async () => {
  const file = new File([readFileSync(path!)], name);
  const { der, numSpeakers, numTurns } = await outcomeOf(file, NEMOTRON.numLayers, pathToFileURL('models/'));
  console.log(`published weights on the sample: DER ${(100 * der).toFixed(1)} %, ${numSpeakers} speakers, ${numTurns} turns`);
  expect(der).toBeLessThan(MAX_DER);
});

itUnless(!process.env.VOXLANE_FULL && 'only in the full tests')('seeded weights do the same, with a bad result', { timeout: 300_000 }, async () => {
  const models = join(folder, 'models');
  mkdirSync(models);
  const { base, weights } = writeSeededFolder(models, SEEDED_LAYERS);
  const { der, numTurns } = await outcomeOf(new File([weights], name), SEEDED_LAYERS, new URL(base));
  expect(numTurns).toBeGreaterThan(20);
  expect(der).toBeGreaterThan(MAX_DER);
});

itUnless(!process.env.VOXLANE_FULL && 'only in the full tests')('another file is not taken for the published weights', async () => {
  const other = join(folder, name);
  writeFileSync(other, 'short');
  expect(await reasonWithout(other)).toBe(`${name} in VOXLANE_MODELS has 5 bytes, not the ${publishedBytes} of the manifest`);
  // Zeros, which need no space on most disks.
  truncateSync(other, publishedBytes);
  expect(await reasonWithout(other)).toBe(`${name} in VOXLANE_MODELS has another SHA-256 than the manifest`);
});
