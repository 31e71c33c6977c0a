import type {
  DiarizationResult,
  DiarizeOptions,
  DiarizerOptions,
} from '../pipeline/types';

/** What the page needs of a diarizer. An interface, so that the page can be developed and tested without models. */
export interface Engine {
  diarize(source: Blob, options: DiarizeOptions): Promise<DiarizationResult>;
  dispose(): void;
}

export type EngineFactory = (options: DiarizerOptions) => Promise<Engine>;
