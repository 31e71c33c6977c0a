/** The seeded ResNet34 on WebGPU: seconds for each second of speech on a software adapter. */
import { expect, test } from '../../test/browser/test';
import { compareStages, figuresText, MAX_RELATIVE, MIN_COSINE, readResnetGoldens, RESNET34 } from '../../test/resnetGoldens';
import { seededResnet34 } from '../../test/seededModel';
import { fromBase64, openKernels, toBase64 } from '../../test/browser/kernels';

const MODEL = 'seeded-resnet34.onnx';

test("every stage of one second, and each speaker's embedding, are PyTorch's on WebGPU", async ({ page }) => {
  test.setTimeout(600_000);
  const pageErrors: string[] = [];
  page.on('pageerror', (error) => pageErrors.push(error.message));
  const body = Buffer.from(seededResnet34('pyannote'));
  await page.route(`**/${MODEL}`, (route) => route.fulfill({ body, contentType: 'application/octet-stream' }));
  await openKernels(page);
  const goldens = readResnetGoldens('one_second');
  const { window, activity, numSpeakers } = goldens;
  const numWindows = 2;
  const request = {
    model: MODEL,
    manifest: RESNET34,
    samples: toBase64(Float32Array.from([...window, ...window])),
    // In the second window, only the second speaks.
    activity: [...activity, ...activity.map((value, i) => (i % numSpeakers === 1 ? value : 0))],
    numWindows,
    numSpeakers,
  };
  const result = await page.evaluate((sent) => voxlaneKernels.resnet(sent), request);
  expect(pageErrors).toEqual([]);
  expect(result.backboneRuns).toBe(numWindows);

  const stages = new Map(Object.entries(result.stages).map(([stage, values]) => [stage, fromBase64(values)]));
  const embeddings = fromBase64(result.embeddings);
  const spoken = embeddings.slice(0, goldens.embeddings.length);
  stages.set('masked_embedding', spoken);
  const names = RESNET34.stages.map(({ name }) => name);
  expect([...stages.keys()].toSorted()).toEqual([...names, 'masked_embedding'].toSorted());
  for (const figures of compareStages(stages, goldens)) {
    console.log(`WebGPU, ${figuresText(figures)}`);
    expect(figures.cosine, figures.stage).toBeGreaterThanOrEqual(MIN_COSINE);
    expect(figures.relative, figures.stage).toBeLessThanOrEqual(MAX_RELATIVE);
  }
  const size = RESNET34.embeddingSize;
  const second = embeddings.subarray(numSpeakers * size);
  const row = (speaker: number): number[] => [...second.subarray(speaker * size, (speaker + 1) * size)];
  expect(row(1)).toEqual([...spoken.subarray(size, 2 * size)]);
  for (const silent of [0, 2]) expect(row(silent).every(Number.isNaN)).toBe(true);
});
