/** Opens the models of workers in Node, without workers. */
import { readFileSync } from 'node:fs';
import { vi } from 'vitest';
import type { LoadRequest } from '../../workers/contracts';
import { RUNTIME_BASE } from './dawn';

/** What a worker receives for a bundled model. */
export const loadRequest = (modelId: string, backend: LoadRequest['backend'], ownKernels = true): LoadRequest => ({
  modelId,
  backend,
  modelsBase: new URL('../../models/', import.meta.url).href,
  runtimeBase: RUNTIME_BASE,
  threads: 1,
  hub: null,
  modelFile: undefined,
  modelName: undefined,
  arithmetic: 'float32',
  trustUnknownModel: false,
  ownKernels,
});

/** Makes `fetch` read `file:` addresses, which Node's own cannot. */
export function fetchFiles(): void {
  vi.stubGlobal('fetch', (address: string | URL) => Promise.resolve(new Response(readFileSync(new URL(address)))));
}
