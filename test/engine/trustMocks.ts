/**
 * Replaces storage, manifests, the runtime and workers by those of trustFakes.ts. The mocks apply to modules that are loaded
 * afterward, so a test imports this file first.
 */
import { vi } from 'vitest';
import { loadManifest, modelStore, storage } from './trustFakes';

vi.mock(import('../../src/engine/remember'), () => storage);
vi.mock(import('../../src/store/load'), async (original) => ({ ...(await original()), loadManifest }));
vi.mock(import('../../src/store/modelStore'), () => modelStore);
vi.mock(import('../../src/ort/runtime'), async (original) => ({ ...(await original()), runtimeVersion: vi.fn() }));
vi.mock(import('../../src/engine/engine'), async (original) => ({ ...(await original()), startEngine: vi.fn() }));
vi.mock(import('../../workers/spawn'), async (original) => ({ ...(await original()), spawnSegmentationWorker: vi.fn() }));
