/** The library in one call with every kind of source, and its shared engine. */
import { createDiarizer, expect, test } from '../../test/browser/engine';
import { loadSamples } from '../../test/browser/library';

test('one call: file, download, samples and streams yield the same result with one set of workers that ends', async ({ page }) => {
  await loadSamples(page);
  const options = { backend: 'wasm', durationSeconds: 14, idleSeconds: 2 } as const;
  const first = await page.evaluate(async (given) => {
    const file = await (await fetch('sample.wav')).blob();
    return voxlane.toJson('x', { ...(await voxlane.diarize(file, given)), timings: {} });
  }, options);
  const workers = page.workers().length;
  const { others, progress, state } = await page.evaluate(async (given) => {
    const iterator = libraryPieces(librarySamples.slice(0, 14 * 16_000));
    const stream = new ReadableStream<Float32Array>({
      async pull(controller) {
        const step = await iterator.next();
        if (step.done) controller.close();
        else controller.enqueue(step.value.slice());
      },
    });
    const progress: unknown[] = [];
    const { backend, idleSeconds } = given;
    const results = [
      await voxlane.diarize((await fetch('sample.wav')).body!, given),
      await voxlane.diarize(librarySamples, { ...given, sampleRate: 16_000 }),
      await voxlane.diarize(stream, {
        backend,
        idleSeconds,
        sampleRate: 16_000,
        onProgress: ({ openEnded, secondsLeft }) => progress.push([openEnded ?? false, secondsLeft === null]),
      }),
      await voxlane.diarize(libraryPieces(librarySamples), { ...given, sampleRate: 16_000 }),
    ];
    return { others: results.map((result) => voxlane.toJson('x', { ...result, timings: {} })), progress, state: libraryState };
  }, options);
  expect(JSON.parse(first)).toMatchObject({ durationSeconds: 14 });
  for (const other of others) expect(other).toBe(first);
  expect(page.workers()).toHaveLength(workers);
  // A stream with unknown length reports this until its end.
  expect(progress[0]).toEqual([true, true]);
  expect(progress.at(-1)).toEqual([false, false]);
  // A segment reads only the required pieces.
  expect(state.isEnded).toBe(true);
  expect(state.read).toBeLessThan(14 * 16_000 + 30_011);
  await expect.poll(() => page.workers().length, { timeout: 10_000 }).toBe(0);
});

test('a waiting run is canceled immediately, the current run continues, and streams are closed', async ({ page }) => {
  await loadSamples(page);
  await createDiarizer(page, { backend: 'wasm' });
  const outcome = await page.evaluate(async () => {
    const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
    const causeOf = (run: Promise<unknown>) =>
      run.then(() => 'none', (error: unknown) => [(error as { code: string }).code, (error as { cause?: unknown }).cause]);
    const [waiting, running] = [new AbortController(), new AbortController()];
    let isDone = false;
    const first = testDiarizer.diarize(librarySamples, { startSeconds: 7, durationSeconds: 8, sampleRate: 16_000 }).finally(() => (isDone = true));
    const stream = new Response(new Uint8Array(10)).body!;
    const second = causeOf(testDiarizer.diarize(stream, { signal: waiting.signal }));
    const locked = await causeOf(testDiarizer.diarize(stream));
    waiting.abort('no longer wanted');
    const cancelled = [await second, isDone, (await first).speakers.length];
    // A live source that stalls forever: its run can still be canceled.
    let wasCancelled = false;
    const live = new ReadableStream<Float32Array>({
      start: (controller) => { controller.enqueue(librarySamples.slice(0, 400_000)); },
      cancel: () => { wasCancelled = true; },
    });
    const third = causeOf(testDiarizer.diarize(live, { sampleRate: 16_000, signal: running.signal, onProgress: ({ stage }) => { if (stage === 'embedding') running.abort('enough'); } }));
    const afterThird = [await third, wasCancelled];
    const failing = async function* () {
      yield librarySamples;
      await Promise.resolve();
      throw new Error('the cable came off');
    };
    const failed = await testDiarizer.diarize(failing(), { sampleRate: 16_000 }).catch((error: unknown) => [(error as { code: string }).code, ((error as { cause: Error }).cause).message]);
    const again = (await testDiarizer.diarize(librarySamples, { startSeconds: 7, durationSeconds: 8, sampleRate: 16_000 })).speakers.length;
    const starting = new AbortController();
    testDiarizer[Symbol.dispose]();
    const disposed = await causeOf(testDiarizer.diarize(librarySamples));
    const facts = [await causeOf(voxlane.presetInfo({ signal: AbortSignal.abort('no') })), await causeOf(voxlane.storedModels({ signal: AbortSignal.abort('no') }))];
    const created = causeOf(voxlane.Diarizer.create({ backend: 'wasm', signal: starting.signal }));
    setTimeout(() => { starting.abort('changed my mind'); }, 50);
    return { locked, cancelled, afterThird, failed, again, disposed, facts, created: await created };
  });
  expect(outcome).toEqual({
    locked: ['options', undefined],
    cancelled: [['cancelled', 'no longer wanted'], false, 2],
    afterThird: [['cancelled', 'enough'], true],
    failed: ['audio-decode', 'the cable came off'],
    again: 2,
    disposed: ['disposed', undefined],
    facts: [['cancelled', 'no'], ['cancelled', 'no']],
    created: ['cancelled', 'changed my mind'],
  });
});
