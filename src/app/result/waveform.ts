import type { PeaksWorkerApi } from '../../../workers/contracts';
import { WorkerHandle } from '../../../workers/handle';
import { moved } from '../../../workers/protocol';
import { decodeOnPage } from '../../audio/pageDecode';
import { PEAK_SAMPLE_RATE, PeakPyramid, type Peaks } from '../../audio/peaks';
import type { Scope } from '../../ui-kit/scope';
import { waveText } from '../../ui-kit/tracks/minimap';
import type { Tracks } from '../../ui-kit/tracks/tracks';
import { VoxlaneError } from '../../util/errors';

// The address must stand inside `new Worker(new URL(…))`, literally: that is the form bundlers look for.
export function spawnPeaksWorker(): WorkerHandle<PeaksWorkerApi> {
  return new WorkerHandle(
    new Worker(new URL('../../../workers/peaks.worker.ts', import.meta.url), { type: 'module', name: 'voxlane peaks' }),
    'waveform',
  );
}

export interface PeaksRequest {
  readonly blob: Blob;
  /** Number of the audio track; undefined for the file's default. */
  readonly track: number | undefined;
  /** Peaks of this very recording from an earlier visit; with them nothing is decoded. */
  readonly kept: Peaks | null;
  /** Hears of the same pyramid again and again as it grows; `isWhole` the last time. */
  readonly onPeaks: (pyramid: PeakPyramid, isWhole: boolean) => void;
  /** No waveform, or none of the rest: only the page can decode so large a file, or it is broken from some point on. */
  readonly onFailure: (failure: VoxlaneError) => void;
}

/**
 * What the page decodes lies in memory as a whole. An hour at 128 kbit/s is 58 MB, and at the rate of the peaks, in
 * stereo, 460 MB: more could make the browser end the tab.
 */
const MAX_BYTES_ON_PAGE = 64 * 2 ** 20;

/** Reads the peaks of a recording in a worker, which ends with `scope`, with the last peak, or with a failure. */
export function loadPeaks(scope: Scope, { blob, track, kept, onPeaks, onFailure }: PeaksRequest): void {
  if (kept) {
    onPeaks(PeakPyramid.from(kept), true);
    return;
  }
  const worker = spawnPeaksWorker();
  const end = (): void => {
    worker.terminate(new VoxlaneError({ code: 'disposed', problem: 'The waveform is not wanted any more' }));
  };
  scope.add(end);
  const pyramid = new PeakPyramid();
  const read = async (): Promise<void> => {
    await open(worker, blob, track);
    for (;;) {
      const extremes = await worker.call((remote) => remote.next());
      if (scope.disposed) return;
      if (extremes === null) break;
      pyramid.append(extremes);
      onPeaks(pyramid, false);
    }
    onPeaks(pyramid, true);
  };
  void read()
    .catch((thrown: unknown) => {
      if (scope.disposed) return;
      onFailure(
        thrown instanceof VoxlaneError
          ? thrown
          : new VoxlaneError({ code: 'worker-failed', problem: 'The waveform could not be read' }, { cause: thrown }),
      );
    })
    .finally(end);
}

/** Opens the file in the worker, or what the page decodes of it if the worker cannot. */
async function open(worker: WorkerHandle<PeaksWorkerApi>, blob: Blob, track: number | undefined): Promise<void> {
  try {
    await worker.call((remote) => remote.open({ kind: 'file', blob, track }));
  } catch (thrown) {
    const isUnsupported = thrown instanceof VoxlaneError && thrown.code === 'audio-unsupported';
    if (!isUnsupported || blob.size > MAX_BYTES_ON_PAGE) throw thrown;
    const audio = await decodeOnPage(blob, PEAK_SAMPLE_RATE);
    await worker.call((remote) => remote.open(moved({ kind: 'channels', ...audio }, ...audio.channels)));
  }
}

export interface WaveformSource {
  readonly blob: Blob;
  /** Number of the audio track; undefined for the file's default. */
  readonly track: number | undefined;
  /** Peaks of this very recording from an earlier visit; null where there are none. */
  readonly kept: Peaks | null;
  /** Called once, with peaks that are worth keeping for the next visit. */
  readonly onRead: (peaks: Peaks) => void;
}

/** Reads a recording's waveform and draws it on the tracks as it comes. */
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
