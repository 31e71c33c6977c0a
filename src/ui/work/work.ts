import type { Peaks } from '../../audio/peaks';
import type { KeptVoices } from '../../pipeline/keptVoices';
import type { Outcome } from '../state';
import type { StudioMemory } from '../studio/store';

/** What a result's view keeps in the browser, and gets back from there. */
export interface Work {
  /** Corrections and transcript of a result; the same object for the same result. */
  readonly memoryOf: (outcome: Outcome) => StudioMemory;
  /** The memory changed: it is written down soon. */
  readonly changed: (outcome: Outcome) => void;
  /** The waveform as it was read before; null where it was not. */
  readonly peaksOf: (outcome: Outcome) => Peaks | null;
  readonly keepPeaks: (outcome: Outcome, peaks: Peaks) => void;
  /** What another number of speakers is found by; null where it is not there. */
  readonly voicesOf: (outcome: Outcome) => (() => Promise<KeptVoices>) | null;
}
