/** The live number of speakers on the voices of three hours, in the page. */
import { meeting } from '../../test/diarization/meeting';
import type { KeptVoices, Turn } from '../../src/index';
import { CAMPPLUS } from '../../src/pipeline/settings';
import { openEngine } from '../../test/browser/engine';
import { expect, test } from '../../test/browser/test';

const NUM_WINDOWS = 10_800;
const COUNTS = [8, 7, 6, 5, 4, 3, 2, 1, 9, 10];

/** What the page measures of each number of speakers. */
interface Step {
  readonly speakers: number;
  readonly seconds: number;
  readonly turns: readonly Turn[];
}

test('a step takes a second at most, the page stays free, and the result is a fresh one', async ({ page }) => {
  test.setTimeout(300_000);
  const { activity, embeddings, embedded, numSpeakers, dimension, geometry, minCleanFrames } = meeting({ numWindows: NUM_WINDOWS, numVoices: 8, dimension: 192, noise: 0.4, seed: 3 });
  const voices: Omit<KeptVoices, 'activity' | 'embeddings' | 'embedded'> = {
    version: 1,
    preset: CAMPPLUS.preset,
    speed: 'exact',
    segmentation: { id: CAMPPLUS.segmentation, sha256: '' },
    embedding: { id: CAMPPLUS.embedding, sha256: '' },
    startSeconds: 0,
    clustering: CAMPPLUS.clustering,
    dendrogram: null,
    ...{ numSpeakers, dimension, geometry, minCleanFrames },
  };
  const files = { activity, embeddings, embedded };
  await page.route('**/voices/*', (route) => {
    const name = new URL(route.request().url()).pathname.split('/').pop() as keyof typeof files;
    const { buffer, byteOffset, byteLength } = files[name];
    return route.fulfill({ body: Buffer.from(buffer, byteOffset, byteLength), contentType: 'application/octet-stream' });
  });
  await openEngine(page);
  const { steps, fresh, longTasks } = await page.evaluate(
    async ({ plain, counts }) => {
      const bytes = async (name: string): Promise<ArrayBuffer> => (await fetch(`voices/${name}`)).arrayBuffer();
      const given = {
        ...plain,
        activity: new Uint8Array(await bytes('activity')),
        embeddings: new Float32Array(await bytes('embeddings')),
        embedded: new Uint8Array(await bytes('embedded')),
      };
      const longTasks: number[] = [];
      new PerformanceObserver((list) => {
        longTasks.push(...list.getEntries().map(({ duration }) => duration));
      }).observe({ type: 'longtask' });
      const reclusterer = await voxlane.Reclusterer.create(given);
      // The linkage of three hours is made once, while the panel opens; a result of this page brings it along.
      await reclusterer.cluster();
      const steps: Step[] = [];
      for (const speakers of counts) {
        const start = performance.now();
        const { turns } = await reclusterer.cluster({ speakers });
        steps.push({ speakers, seconds: (performance.now() - start) / 1000, turns });
      }
      reclusterer.dispose();
      // Another worker, which knows nothing of what was asked before.
      const other = await voxlane.Reclusterer.create(given);
      const { turns: fresh } = await other.cluster({ speakers: 5 });
      other.dispose();
      return { steps, fresh, longTasks };
    },
    { plain: voices, counts: COUNTS },
  );
  for (const { speakers, seconds, turns } of steps) console.log(`${speakers} speakers: ${seconds.toFixed(2)} s, ${turns.length} turns`);
  console.log(`page tasks over 50 ms: ${longTasks.join(', ') || 'none'}`);
  expect(Math.max(...steps.map(({ seconds }) => seconds))).toBeLessThan(1);
  expect(longTasks).toEqual([]);
  expect(steps.find(({ speakers }) => speakers === 5)!.turns).toEqual(fresh);
  expect(new Set(fresh.map(({ speaker }) => speaker)).size).toBe(5);
});
