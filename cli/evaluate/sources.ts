/** Sources of what `evaluate` scores. */
import type { DiarizeOptions, KeptVoices, Turn } from '../../src/index';

/** Model outputs for a recording. They do not depend on the clustering settings. */
export interface Features {
  readonly voices: KeptVoices;
  readonly durationSeconds: number;
}

/** Result of a preset that has no features. */
export interface FoundTurns {
  readonly turns: readonly Turn[];
  readonly durationSeconds: number;
}

/** Options of a run that an evaluation can set. */
export type TurnOptions = Pick<DiarizeOptions, 'speakers' | 'minSpeakers' | 'maxSpeakers' | 'minDurationOn' | 'minDurationOff' | 'streamingMode'>;

/** Runs the models: in Node, or in a headless browser. */
export interface FeatureEngine {
  /** Keys of the programs that compute the features or turns, for the cache. Builds them if they are missing. */
  programs(): Promise<readonly string[]>;
  /** Loads the models, unless they are loaded. @throws Error with a one-line message */
  start(): Promise<void>;
  /** @throws Error with a one-line message if the recording or the models cannot be read */
  voicesOf(audio: string): Promise<Features>;
  /** @throws Error with a one-line message if the recording or the model cannot be read */
  turnsOf(audio: string, options: TurnOptions): Promise<FoundTurns>;
  close(): Promise<void>;
}

/** Another diarization system. */
export interface Peer {
  of(audio: string): Promise<readonly Turn[]>;
  close(): Promise<void>;
}
