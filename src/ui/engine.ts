import type { DiarizationResult, DiarizeOptions, DiarizerOptions, PresetId } from '../pipeline/types';

/** Which preset runs. `auto` takes community-1 where its model is here, else campplus, and never downloads. */
export type PresetChoice = PresetId | 'auto';

/** What the page needs of a diarizer. An interface, so that the page can be developed and tested without models. */
export interface Engine {
  diarize(source: Blob, options: DiarizeOptions): Promise<DiarizationResult>;
  dispose(): void;
}

/** `signal` ends the start. */
export type EngineFactory = (options: DiarizerOptions & { readonly signal?: AbortSignal }) => Promise<Engine>;
