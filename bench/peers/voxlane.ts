import { openEnginePage } from '../../cli/enginePage';
import type { DiarizerOptions } from '../../src/index';
import type { Backend, MeasuredSystem } from './system';

type Say = (line: string) => void;

/**
 * Starts the built app in a browser of its own, as the command line does.
 *
 * @throws Error where it cannot be opened; its `run` throws where it runs on another backend than was asked for
 */
export async function openVoxlane(backend: Backend, preset: string, say: Say): Promise<MeasuredSystem> {
  const engine = await openEnginePage(backend, say);
  const { page } = engine;
  try {
    const options = { backend, preset: preset as NonNullable<DiarizerOptions['preset']> };
    const failure = await page.evaluate((request) => voxlane.open(request), options);
    if (failure !== null) throw new Error(failure);
  } catch (error) {
    await engine.close();
    throw error;
  }
  return {
    system: 'voxlane',
    backend,
    preset,
    run: async (file, durationSeconds) => {
      await page.setInputFiles('#file', file);
      const segment = durationSeconds === null ? {} : { durationSeconds };
      const { backend: used, ...run } = await page.evaluate((request) => voxlane.measureFile(request), segment);
      // Else the figures of one backend would go by the name of another.
      if (used.name !== backend) throw new Error(`${backend} was asked for, ${used.name} was used: ${used.reason}`);
      return { ...run, threads: used.name === 'wasm' ? used.threads : null };
    },
    close: () => engine.close(),
  };
}

/** Whether the browser offers a GPU. Its software adapter, a CPU that plays a GPU, does not count. */
export async function hasHardwareAdapter(say: Say): Promise<boolean> {
  const engine = await openEnginePage('wasm', say);
  try {
    return await engine.page.evaluate(async () => {
      const { gpu } = navigator as { gpu?: GPU };
      const adapter = await gpu?.requestAdapter();
      return Boolean(adapter && !adapter.info.isFallbackAdapter);
    });
  } finally {
    await engine.close();
  }
}
