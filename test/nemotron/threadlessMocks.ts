/**
 * Runs workers in the thread of the test and keeps remembered values in memory. The mocks apply to modules that are loaded afterward, so
 * a test imports this file first.
 */
import { vi } from 'vitest';
import { served, ThreadlessHandle } from './threadless';

/** Values of `src/engine/remember`, by key. */
export const remembered = new Map<string, unknown>();
/** The worker whose script is loading. */
let loading = '';

vi.mock(import('../../workers/protocol'), async (original) => ({
  ...(await original()),
  // Not transferred, because there is no other thread.
  moved: (message) => message,
  serve: (api: object) => { served.set(loading, api); },
}));
vi.mock(import('../../workers/spawn'), async (original) => {
  const spawn = (name: string) => () => new ThreadlessHandle(name);
  const spawns = { spawnDecodeWorker: spawn('decode'), spawnSortformerWorker: spawn('sortformer'), spawnEmbeddingWorker: spawn('embedding'), spawnClusteringWorker: spawn('clustering') };
  return { ...((await original()) as object), ...spawns } as never;
});
vi.mock(import('../../src/engine/remember'), () => ({
  recall: (key: string) => Promise.resolve((remembered.get(key) ?? null) as never),
  remember: (key: string, value: unknown) => { remembered.set(key, value); return Promise.resolve(); },
  forget: () => Promise.resolve(),
}));

/** Loads the scripts of these workers, one after another. */
export async function serveWorkers(...names: readonly ('decode' | 'sortformer' | 'embedding' | 'clustering')[]): Promise<void> {
  for (const name of names) {
    loading = name;
    await import(`../../workers/${name}.worker.ts`);
  }
}
