import type { Peaks } from '../../audio/peaks';
import { loadPeaks } from '../../ui-kit/loadPeaks';
import type { Scope } from '../../ui-kit/scope';
import { waveText } from '../../ui-kit/tracks/minimap';
import type { Tracks } from '../../ui-kit/tracks/tracks';

interface WaveformSource {
  readonly blob: Blob;
  /** Number of the audio track; undefined for the file's default. */
  readonly track: number | undefined;
  /** Saved peaks of the same recording; null if there are none. */
  readonly kept: Peaks | null;
  /** Called once with the peaks to save. */
  readonly onRead: (peaks: Peaks) => void;
}

/** Reads the waveform of a recording and draws it progressively on the tracks. */
export function showWaveform(scope: Scope, tracks: Tracks, { blob, track, kept, onRead }: WaveformSource): void {
  tracks.setWaveNote(waveText.reading);
  loadPeaks(scope, {
    blob,
    track,
    kept,
    onPeaks(pyramid, isWhole) {
      tracks.setWaveNote(null);
      tracks.setPeaks(pyramid);
      if (isWhole && !kept) onRead(pyramid.toPeaks());
    },
    onFailure(failure) {
      tracks.setWaveNote(waveText.none(failure.code === 'audio-unsupported'));
    },
  });
}
