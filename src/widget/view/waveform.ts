import type { Scope } from '../../ui-kit/scope';
import { VoxlaneError } from '../../util/errors';
import { loadPart } from '../../util/fetch';
import type { ViewMemory } from '../state/phase';
import type { WidgetWords } from '../words';
import type { Timeline } from './timeline';

interface WaveformSource {
  readonly sound: Blob;
  /** Audio track, counted from 1; undefined for the default of the file. */
  readonly track: number | undefined;
  /** Keeps the whole waveform for the next view of the same result. */
  readonly memory: ViewMemory;
  readonly timeline: Timeline;
  readonly words: WidgetWords;
}

/** Reads the waveform of a recording and draws it as it grows. The code that reads it is loaded here, on demand. */
export function readWaveform(scope: Scope, { sound, track, memory, timeline, words }: WaveformSource): void {
  if (memory.peaks) {
    timeline.setPeaks(memory.peaks);
    return;
  }
  const fail = (failure: unknown): void => {
    if (scope.disposed) return;
    const isUndecodable = failure instanceof VoxlaneError && failure.code === 'audio-unsupported';
    timeline.setWaveNote(isUndecodable ? words.done.wave.undecodable : words.done.wave.incomplete);
  };
  timeline.setWaveNote(words.done.wave.reading);
  loadPart(() => import('../../ui-kit/loadPeaks')).then(({ loadPeaks }) => {
    if (scope.disposed) return;
    loadPeaks(scope, {
      blob: sound,
      track,
      kept: null,
      onPeaks(peaks, isWhole) {
        if (isWhole) memory.peaks = peaks;
        timeline.setWaveNote(null);
        timeline.setPeaks(peaks);
      },
      onFailure: fail,
    });
  }, fail);
}
