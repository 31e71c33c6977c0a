import type { FileEngine } from './fileEngine';

/** An engine whose module is imported when it starts, because it takes longer to load than finding a wrong argument. */
export function lazyEngine(open: () => Promise<FileEngine>): FileEngine {
  let engine: FileEngine | null = null;
  return {
    start: async () => {
      engine ??= await open();
      await engine.start();
    },
    diarize: async (path, request, onProgress) => (engine ??= await open()).diarize(path, request, onProgress),
    close: async () => engine?.close(),
  };
}
