/** Every bad input causes a typed error, never a hang or a blank page. */
import type { Page } from '@playwright/test';
import { buildWav, type WavOptions } from '../../test/audio/wav';
import type { ErrorCode } from '../../src/index';
import { expect, openEngine, test } from '../../test/browser/engine';

/** One window of the sample with both speakers. */
const CLIP = { startSeconds: 7, durationSeconds: 8 };

interface Outcome {
  readonly code: string;
  readonly message: string;
  readonly turns: number;
}

async function diarizeBytes(page: Page, bytes: Uint8Array): Promise<Outcome> {
  return page.evaluate(async (values) => {
    const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
    try {
      const { turns } = await testDiarizer.diarize(new Blob([Uint8Array.from(values)]));
      return { code: 'none', message: '', turns: turns.length };
    } catch (error) {
      if (!(error instanceof voxlane.VoxlaneError)) throw error;
      return { code: error.code, message: error.message, turns: 0 };
    }
  }, [...bytes]);
}

const noise = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7919 + (i >> 3) * 104729) % 251);

const BAD: { name: string; blob: () => Blob; code: ErrorCode | 'none' }[] = [
  { name: 'text', blob: () => new Blob(['not a recording '.repeat(50)]), code: 'audio-unsupported' },
  { name: 'random bytes', blob: () => new Blob([noise(5000)]), code: 'audio-unsupported' },
  { name: 'no bytes', blob: () => new Blob([]), code: 'audio-empty' },
  { name: 'no samples', blob: () => buildWav([[]]), code: 'audio-no-samples' },
  { name: 'truncated', blob: () => wav(sine(16000), { declaredDataBytes: 64000 }), code: 'audio-truncated' },
  { name: 'no channels', blob: () => wav(sine(16000), { declaredChannels: 0 }), code: 'audio-channels' },
  { name: '40 channels', blob: () => buildWav(Array.from({ length: 40 }, () => sine(400))), code: 'audio-channels' },
  {
    name: 'NaN samples',
    blob: () => wav(sine(16000).map((value, i) => (i === 8000 ? NaN : value)), { format: 'float32' }),
    code: 'audio-not-finite',
  },
  { name: '0.05 s', blob: () => wav(sine(800)), code: 'none' },
  { name: 'silence', blob: () => wav(new Array<number>(16000 * 12).fill(0)), code: 'none' },
];

function sine(length: number): number[] {
  return Array.from({ length }, (_, i) => 0.3 * Math.sin((2 * Math.PI * 440 * i) / 16000));
}

function wav(samples: number[], options: WavOptions = {}): Blob {
  return buildWav([samples], options);
}

for (const { name, blob, code } of BAD) {
  test(`${name}: ${code === 'none' ? 'no turns, no error' : code}`, async ({ engine }) => {
    const outcome = await diarizeBytes(engine.page, new Uint8Array(await blob().arrayBuffer()));
    expect(outcome).toMatchObject({ code, turns: 0 });
  });
}

test('the same diarizer still works afterwards', async ({ engine }) => {
  expect((await engine.run('public/sample.wav', CLIP)).json.speakers).toHaveLength(2);
});

test.describe('models', () => {
  const createCode = (page: Page) =>
    page.evaluate(async () => {
      try {
        (await voxlane.Diarizer.create({ backend: 'wasm' })).dispose();
        return 'none';
      } catch (error) {
        return error instanceof voxlane.VoxlaneError ? error.code : String(error);
      }
    });

  test('missing', async ({ page }) => {
    await page.route('**/segmentation-3.0/model.onnx', (route) => route.fulfill({ status: 404 }));
    await openEngine(page);
    expect(await createCode(page)).toBe('model-missing');
  });

  test('a page instead of the manifest', async ({ page }) => {
    await page.route('**/campplus-zh-en/manifest.json', (route) =>
      route.fulfill({ status: 200, contentType: 'text/html', body: '<!doctype html><p>Welcome' }),
    );
    await openEngine(page);
    expect(await createCode(page)).toBe('model-missing');
  });

  test('a manifest of another kind', async ({ page }) => {
    await page.route('**/segmentation-3.0/manifest.json', (route) => route.fulfill({ json: { id: 'something' } }));
    await openEngine(page);
    expect(await createCode(page)).toBe('model-invalid');
  });

  for (const [name, change] of [
    ['one byte changed', (body: Buffer) => body.fill(body[1000]! ^ 1, 1000, 1001)],
    ['truncated', (body: Buffer) => body.subarray(0, 1_000_000)],
  ] as const) {
    test(`altered: ${name}`, async ({ page }) => {
      await page.route('**/segmentation-3.0/model.onnx', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ status: 200, body: change(await response.body()) });
      });
      await openEngine(page);
      expect(await createCode(page)).toBe('model-altered');
    });
  }

  test('missing runtime: the bundled models run on our kernels', async ({ page }) => {
    test.setTimeout(240_000);
    await page.route('**/ort/*.wasm', (route) => route.fulfill({ status: 404 }));
    await openEngine(page);
    await page.setInputFiles('#file', 'public/sample.wav');
    // A pause on WebGPU, because a software adapter is slow.
    for (const [backend, clip, numSpeakers] of [['wasm', CLIP, 2], ['webgpu', { startSeconds: 0, durationSeconds: 1 }, 0]] as const) {
      const outcome = await page.evaluate(async ([name, options]) => {
        const diarizer = await voxlane.Diarizer.create({ backend: name, trustGpu: true });
        const result = await diarizer.diarize(voxlane.chosenFile(), options);
        diarizer.dispose();
        return { backend: result.backend.name, numSpeakers: result.speakers.length };
      }, [backend, clip] as const);
      expect(outcome).toEqual({ backend, numSpeakers });
    }
  });

  test('missing runtime that a model requires', async ({ page }) => {
    await page.route('**/ort/*.wasm', (route) => route.fulfill({ status: 404 }));
    // Our kernels do not support this graph, so the runtime is used.
    await page.route('**/segmentation.worker-*.js', async (route) => {
      const response = await route.fetch();
      const script = await response.text();
      await route.fulfill({ response, body: script.replaceAll('WebAssembly.validate', '(()=>false)') });
    });
    await openEngine(page);
    expect(await createCode(page)).toBe('backend-failed');
  });

  test('a worker script is missing', async ({ page }) => {
    await page.route('**/embedding.worker-*.js', (route) => route.fulfill({ status: 404 }));
    await openEngine(page);
    expect(await createCode(page)).toBe('worker-failed');
  });

  test('required WebGPU without an adapter: an error', async ({ page }) => {
    await page.addInitScript(() => Object.defineProperty(navigator, 'gpu', { value: undefined }));
    await openEngine(page);
    const error = await page.evaluate(() =>
      voxlane.Diarizer.create({ backend: 'webgpu' }).then(
        () => null,
        (thrown: unknown) => (thrown as InstanceType<typeof voxlane.VoxlaneError>).toParts(),
      ),
    );
    expect(error).toMatchObject({ code: 'backend-unavailable', problem: 'WebGPU was requested, but this browser has no WebGPU adapter' });
  });

  test('an adapter below the limits: WASM is used, and the report names the limit', async ({ page }) => {
    await page.addInitScript(() => {
      const { gpu } = navigator;
      const requestAdapter = gpu.requestAdapter.bind(gpu);
      gpu.requestAdapter = async (options) => {
        const adapter = await requestAdapter(options);
        const limits = { maxStorageBufferBindingSize: 2 ** 20 };
        return adapter && ({ info: adapter.info, limits } as unknown as GPUAdapter);
      };
    });
    await openEngine(page);
    const reason = await page.evaluate(async () => {
      const diarizer = await voxlane.Diarizer.create({ backend: 'auto' });
      const report = diarizer.backend;
      diarizer.dispose();
      return report?.reason;
    });
    expect(reason).toMatch(/maxStorageBufferBindingSize is 1048576/);
  });
});

test.describe('calls', () => {
  test('without isolation headers, each core has a single-threaded worker, and the report mentions this', async ({ page }) => {
    await page.route('**/engine.html', async (route) => {
      const response = await route.fetch();
      const kept = Object.entries(response.headers()).filter(([name]) => !name.startsWith('cross-origin-'));
      await route.fulfill({ response, headers: Object.fromEntries(kept) });
    });
    // Checking a software adapter would take most of a minute.
    await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined }));
    await openEngine(page);
    const { backend, cores, isolated } = await page.evaluate(async () => {
      const diarizer = await voxlane.Diarizer.create({ backend: 'auto' });
      const report = diarizer.backend;
      diarizer.dispose();
      return { backend: report, cores: navigator.hardwareConcurrency, isolated: crossOriginIsolated };
    });
    expect(isolated).toBe(false);
    expect(backend).toMatchObject({ name: 'wasm', threads: Math.min(cores, 8) });
    expect(backend?.reason).toContain('isolated');
  });
});
