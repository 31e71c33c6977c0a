import type { PresetFacts, StoredModelFacts } from '../../pipeline/presets';

/** What the page needs to know of presets and kept models. An interface, for pages and tests without models. */
export interface ModelLibrary {
  presets(): Promise<readonly PresetFacts[]>;
  stored(): Promise<readonly StoredModelFacts[]>;
  delete(id: string): Promise<void>;
  /** Discards the results of the GPU's self-check: the next engine checks again. */
  forgetGpuChecks(): Promise<void>;
}
