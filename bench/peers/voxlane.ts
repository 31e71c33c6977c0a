import { openEnginePage } from '../../cli/enginePage';
import type { DiarizerOptions } from '../../src/index';
import type { Backend, MeasuredSystem } from './system';

type Say = (line: string) => void;

/**
 * Starts the built app in a separate browser, like the command line.
 *
 * @throws Error if it cannot be opened; `run` throws if it runs on a backend other than the requested one
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
      // Otherwise, figures could be attributed to the wrong backend.
      if (used.name !== backend) throw new Error(`${backend} was requested, but ${used.name} was used: ${used.reason}`);
      return { ...run, threads: used.name === 'wasm' ? used.threads : null };
    },
    close: () => engine.close(),
  };
}

/** Whether the browser offers a hardware GPU. The software adapter, which emulates a GPU on the CPU, does not count. */
export async function hasHardwareAdapter(say: Say): Promise<boolean> {
  const engine = await openEnginePage('wasm', say);
  try {
    return await engine.page.evaluate(async () => {
      const { gpu } = navigator as { gpu?: GPU };
      return Boolean(await gpu?.requestAdapter()) && (await voxlane.softwareAdapter()) === null;
    });
  } finally {
    await engine.close();
  }
}
