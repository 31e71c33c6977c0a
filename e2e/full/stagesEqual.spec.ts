/** Single stages on WASM are byte-identical to a whole run. */
import type { ErrorCode, StageOptions } from '../../src/index';
import { openEngine } from '../../test/browser/engine';
import { expect, test } from '../../test/browser/test';

const WASM: StageOptions = { backend: 'wasm', preset: 'campplus' };
/** Size of the header of `public/sample.wav` including tags. The samples are 16-bit PCM, mono, at 16 kHz. */
const HEADER_BYTES = 104;
/** Duration of the recording, with both speakers. */
const SECONDS = 14;

test('segment, embed and cluster produce turns byte-identical to a whole run', async ({ page }) => {
  await openEngine(page);
  const outcome = await page.evaluate(
    async ({ options, headerBytes, seconds }) => {
      const pcm = new Int16Array((await (await fetch('sample.wav')).arrayBuffer()).slice(headerBytes), 0, seconds * 16_000);
      const samples = Float32Array.from(pcm, (value) => value / 32_768);
      const whole = { activity: [] as number[], embeddings: [] as number[], clusters: [] as number[] };
      const diarizer = await voxlane.Diarizer.create(options);
      const run = await diarizer.diarize(samples, {
        sampleRate: 16_000,
        hook: ({ stage, artifact }) => {
          if (stage === 'segmentation' && artifact) whole.activity.push(...artifact.data);
          if (stage === 'embedding' && artifact) whole.embeddings.push(...artifact.data);
          if (stage === 'clustering' && artifact) whole.clusters.push(...artifact.data);
        },
      });
      diarizer.dispose();

      const before = samples.slice();
      const segmentation = await voxlane.segment(samples, options);
      const embeddings = await voxlane.embed(samples, segmentation, options);
      const clusters = await voxlane.cluster(segmentation, embeddings);
      // Cloned values, as from a store, also work.
      const again = await voxlane.cluster(structuredClone(segmentation), structuredClone(embeddings), { speakers: 1 });
      const features = await voxlane.fbank(samples, { preset: 'campplus' });
      const start = 500;
      const part = await voxlane.fbank(samples.subarray(start * features.hopSamples), { preset: 'campplus' });
      // Treat NaN as equal to NaN, and 0 as different from -0.
      const areSame = (one: ArrayLike<number>, other: ArrayLike<number>): boolean =>
        one.length > 0 && one.length === other.length && Array.from(one).every((value, index) => Object.is(value, other[index]));
      const speakersOf = ({ speakers }: typeof clusters) => speakers.map((speaker) => ({ ...speaker, centroid: [...(speaker.centroid ?? [])] }));
      return {
        sameSamples: areSame(before, samples),
        sameActivity: areSame(segmentation.data, whole.activity),
        sameEmbeddings: areSame(embeddings.data, whole.embeddings),
        sameClusters: areSame(clusters.hardClusters.data, whole.clusters),
        run: { turns: run.turns, exclusiveTurns: run.exclusiveTurns, speakers: run.speakers.map((one) => ({ ...one, centroid: [...(one.centroid ?? [])] })), confidenceKind: run.confidenceKind },
        stages: { turns: clusters.turns, exclusiveTurns: clusters.exclusiveTurns, speakers: speakersOf(clusters), confidenceKind: clusters.confidenceKind },
        oneSpeaker: again.speakers.length,
        labels: clusters.labels,
        shapes: [segmentation.shape, embeddings.shape, clusters.hardClusters.shape, features.shape],
        numSamples: segmentation.numSamples,
        models: [segmentation.model, embeddings.segmentationModel, embeddings.model],
        usedModels: run.models,
        sameFeatures: areSame(part.data, features.data.subarray(start * features.shape[1])),
        scores: voxlane.score(run.turns, clusters.turns),
      };
    },
    { options: WASM, headerBytes: HEADER_BYTES, seconds: SECONDS },
  );
  expect(outcome.sameSamples).toBe(true);
  expect(outcome.sameActivity).toBe(true);
  expect(outcome.sameEmbeddings).toBe(true);
  expect(outcome.sameClusters).toBe(true);
  expect(outcome.run.turns.length).toBeGreaterThan(2);
  expect(outcome.run.speakers.length).toBe(2);
  expect(JSON.stringify(outcome.stages)).toBe(JSON.stringify(outcome.run));
  expect(outcome.oneSpeaker).toBe(1);
  expect(outcome.labels).toEqual(outcome.run.speakers.map(({ label }) => label));
  expect(outcome.numSamples).toBe(SECONDS * 16_000);
  const [windows, frames, speakers] = outcome.shapes[0] as [number, number, number];
  expect([windows, frames, speakers]).toEqual([Math.ceil((outcome.numSamples - 160_000) / 16_000) + 1, 589, 3]);
  expect(outcome.shapes.slice(1, 3)).toEqual([[windows, speakers, 192], [windows, speakers]]);
  expect(outcome.shapes[3]).toEqual([1 + Math.floor((outcome.numSamples - 400) / 160), 80]);
  expect(outcome.sameFeatures).toBe(true);
  expect(outcome.models[0]).toEqual(outcome.models[1]);
  // Stages do not list the PLDA, which `cluster` selects by the embedding model.
  expect(outcome.usedModels.map(({ id, sha256 }) => ({ id, sha256 })).slice(0, 2)).toEqual([outcome.models[0], outcome.models[2]]);
  expect(outcome.usedModels.slice(2).map(({ stage, id }) => [stage, id])).toEqual([['plda', 'plda-campplus-zh-en']]);
  expect(outcome.scores).toMatchObject({ der: 0, jer: 0, errors: [] });
});

test('mismatched inputs are rejected, and canceled or disposed stages end', async ({ page }) => {
  await openEngine(page);
  const outcome = await page.evaluate(async (options) => {
    // Not silent, so each window is computed.
    const samples = Float32Array.from({ length: 11 * 16_000 }, (_, i) => Math.sin(i * i * 1e-5) / 4);
    const codeOf = (work: Promise<unknown>): Promise<ErrorCode | 'none'> =>
      work.then(
        () => 'none' as const,
        (error: unknown) => (error as InstanceType<typeof voxlane.VoxlaneError>).code,
      );
    const segmentation = await voxlane.segment(samples, options);
    const embeddings = await voxlane.embed(samples, segmentation, options);
    const other = { id: segmentation.model.id, sha256: '0'.repeat(64) };
    const broken = samples.slice();
    broken[5] = NaN;
    const codes = {
      otherSamples: await codeOf(voxlane.embed(samples.subarray(1), segmentation, options)),
      otherModel: await codeOf(voxlane.embed(samples, { ...segmentation, model: other }, options)),
      otherPair: await codeOf(voxlane.cluster({ ...segmentation, model: other }, embeddings)),
      otherPreset: await codeOf(voxlane.cluster(segmentation, { ...embeddings, preset: 'community-1' })),
      shortData: await codeOf(voxlane.cluster(segmentation, { ...embeddings, data: embeddings.data.subarray(1) })),
      notBinary: await codeOf(voxlane.embed(samples, { ...segmentation, data: segmentation.data.map((value) => value + 1) }, options)),
      speed: await codeOf(voxlane.segment(samples, { ...options, preset: 'exact' as 'auto' })),
      bounds: await codeOf(voxlane.cluster(segmentation, embeddings, { speakers: 2, maxSpeakers: 3 })),
      notFinite: await codeOf(voxlane.segment(broken, options)),
      none: await codeOf(voxlane.fbank(new Float32Array(0))),
      noFloats: await codeOf(voxlane.segment([0, 1] as unknown as Float32Array, options)),
    };
    const abortedBefore = await codeOf(voxlane.segment(samples, { ...options, signal: AbortSignal.abort() }));
    const controller = new AbortController();
    const running = codeOf(voxlane.segment(samples, { ...options, signal: controller.signal }));
    const waiting = codeOf(voxlane.segment(samples.subarray(0, 100), options));
    setTimeout(() => { controller.abort(); }, 20);
    // The waiting stage runs on restarted workers.
    const cancelledAndNext = [await running, await waiting];
    const released = codeOf(voxlane.segment(samples, options));
    setTimeout(voxlane.releaseStages, 20);
    const releasedAndNext = [await released, await codeOf(voxlane.segment(samples.subarray(0, 100), options))];
    voxlane.releaseStages();
    return { codes, abortedBefore, cancelledAndNext, releasedAndNext };
  }, WASM);
  expect(outcome.codes).toEqual({
    otherSamples: 'options',
    otherModel: 'options',
    otherPair: 'options',
    otherPreset: 'options',
    shortData: 'options',
    notBinary: 'options',
    speed: 'options',
    bounds: 'options',
    notFinite: 'audio-not-finite',
    none: 'audio-no-samples',
    noFloats: 'options',
  });
  expect(outcome.abortedBefore).toBe('cancelled');
  expect(outcome.cancelledAndNext).toEqual(['cancelled', 'none']);
  expect(outcome.releasedAndNext).toEqual(['disposed', 'none']);
});
