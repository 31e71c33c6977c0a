import { expect, test } from './test';
import { openEngine } from './engine';

/** Every stage of a shipped bundle on one backend, by the bundle's own tolerances. */
export function testParity(id: string, backend: 'wasm' | 'webgpu'): void {
  test(`${id} on ${backend}`, async ({ page }) => {
    // A software adapter takes seven seconds per second of speech, and each stage is computed twice.
    test.setTimeout(240_000);
    await openEngine(page);
    const report = await page.evaluate(
      async (asked) => {
        const comparator = new voxlane.Comparator();
        try {
          await comparator.openShipped(asked.id);
          return await comparator.compare(asked.backend);
        } finally {
          comparator.dispose();
        }
      },
      { id, backend },
    );
    const manifest = (await (await page.request.get(`models/${id}/manifest.json`)).json()) as { stages: { name: string }[] };
    expect(report.stages.map(({ name }) => name)).toEqual(manifest.stages.map(({ name }) => name));
    for (const { name, maxAbs, cosine, verdict, forced } of report.stages) {
      console.log(`${id} ${backend} ${name}: max abs ${maxAbs?.toExponential(1)}, 1 - cosine ${(1 - cosine!).toExponential(1)}`);
      expect.soft({ name, verdict, forced: forced?.verdict ?? 'pass' }).toEqual({ name, verdict: 'pass', forced: 'pass' });
    }
    expect(report).toMatchObject({ model: id, backend, verdict: 'pass', firstDivergence: null });
    expect(report.adapter === null).toBe(backend === 'wasm');
  });
}
