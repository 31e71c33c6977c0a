/** Library calls in a page: typed errors for bad input, cancellation, and a working diarizer afterwards. */
import { createDiarizer, expect, openEngine, test } from '../test/browser/engine';

test('errors name options out of range, contradictions and wrong sources', async ({ engine }) => {
  const codes = await engine.page.evaluate(async () => {
    const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
    const samples = new Float32Array(16000);
    const attempts = [
      testDiarizer.diarize(samples, { speakers: 0 }),
      testDiarizer.diarize(samples, { speakers: 2, maxSpeakers: 3 }),
      testDiarizer.diarize(samples, { minSpeakers: 3, maxSpeakers: 2 }),
      testDiarizer.diarize(samples, { startSeconds: -1 }),
      testDiarizer.diarize('sample.wav' as never),
      testDiarizer.diarize(Float32Array.of(NaN), { sampleRate: 16_000 }),
      testDiarizer.diarize(Float32Array.of(0)),
    ];
    const settled = await Promise.allSettled(attempts);
    return settled.map((result) => (result.status === 'rejected' ? (result.reason as { code: string }).code : 'none'));
  });
  expect(codes).toEqual(['options', 'options', 'options', 'options', 'options', 'audio-not-finite', 'options']);
});

test('a signal cancels a run, and an aborted signal prevents the start', async ({ page }) => {
  await openEngine(page);
  await createDiarizer(page, { backend: 'wasm' });
  await page.setInputFiles('#file', 'public/sample.wav');
  const outcome = await page.evaluate(async () => {
    const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
    const codeOf = (run: Promise<unknown>) => run.then(() => 'none', (error: unknown) => (error as { code: string }).code);
    const controller = new AbortController();
    const code = await codeOf(
      testDiarizer.diarize(voxlane.chosenFile(), {
        signal: controller.signal,
        onProgress: ({ stage, completed }) => {
          if (stage === 'embedding' && completed >= 2) controller.abort();
        },
      }),
    );
    const early = await codeOf(testDiarizer.diarize(voxlane.chosenFile(), { signal: AbortSignal.abort() }));
    const after = await testDiarizer.diarize(voxlane.chosenFile(), { startSeconds: 7, durationSeconds: 8 });
    testDiarizer.dispose();
    const disposed = await codeOf(testDiarizer.diarize(voxlane.chosenFile()));
    return { code, early, disposed, speakers: after.speakers.length };
  });
  expect(outcome).toMatchObject({ code: 'cancelled', early: 'cancelled', disposed: 'disposed', speakers: 2 });
});

test('a non-recording and a truncated file cause typed errors; the diarizer still works', async ({ engine }) => {
  const codes = await engine.page.evaluate(async () => {
    const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
    const sample = await (await fetch('sample.wav')).blob();
    const attempts = [new Blob(['not a recording '.repeat(50)]), sample.slice(0, 100_000), sample.slice(0, 20)];
    const settled = [];
    for (const blob of attempts) settled.push(await testDiarizer.diarize(blob).then(() => 'none', (error: unknown) => (error as { code: string }).code));
    const { speakers } = await testDiarizer.diarize(sample, { startSeconds: 7, durationSeconds: 8 });
    return [...settled, speakers.length];
  });
  expect(codes).toEqual(['audio-unsupported', 'audio-truncated', 'audio-unsupported', 2]);
});

test('a missing worker script causes an error, not a hang', async ({ page }) => {
  await page.route('**/embedding.worker-*.js', (route) => route.fulfill({ status: 404 }));
  await openEngine(page);
  const code = await page.evaluate(() =>
    voxlane.Diarizer.create({ backend: 'wasm' }).then(() => 'none', (error: unknown) => (error as { code: string }).code),
  );
  expect(code).toBe('worker-failed');
});
