import type { Peaks } from '../../audio/peaks';
import type { Scope } from '../../util/scope';
import type { Lanes } from '../lanes/lanes';
import { loadPeaks } from './loadPeaks';
import { waveText } from './text';

export interface WaveformSource {
  readonly blob: Blob;
  /** Number of the audio track; undefined for the file's default. */
  readonly track: number | undefined;
  /** Peaks of this very recording from an earlier visit; null where there are none. */
  readonly kept: Peaks | null;
  /** Called once, with peaks that are worth keeping for the next visit. */
  readonly onRead: (peaks: Peaks) => void;
}

/** Reads a recording's waveform and draws it on the lanes as it comes. */
export function showWaveform(scope: Scope, lanes: Lanes, { blob, track, kept, onRead }: WaveformSource): void {
  lanes.setWaveNote(waveText.reading);
  loadPeaks(scope, {
    blob,
    track,
    kept,
    onPeaks(pyramid, isWhole) {
      lanes.setWaveNote(null);
      lanes.setPeaks(pyramid);
      if (isWhole && !kept) onRead(pyramid.toPeaks());
    },
    onFailure(failure) {
      lanes.setWaveNote(waveText.none(failure.code === 'audio-unsupported'));
    },
  });
}
