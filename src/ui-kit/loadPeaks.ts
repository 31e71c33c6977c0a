import type { DecodeWorkerApi } from '../../workers/contracts';
import { WorkerHandle } from '../../workers/handle';
import { openWorker } from '../../workers/openWorker';
import { moved } from '../../workers/protocol';
import { decodeOnPage } from '../audio/pageDecode';
import { PEAK_SAMPLE_RATE, PeakPyramid, type Peaks } from '../audio/peaks';
import { VoxlaneError } from '../util/errors';
import type { Scope } from './scope';

interface PeaksRequest {
  readonly blob: Blob;
  /** Number of the audio track; undefined for the file's default. */
  readonly track: number | undefined;
  /** Saved peaks of the same recording; if given, nothing is decoded. */
  readonly kept: Peaks | null;
  /** Called repeatedly with the same pyramid as it grows. `isWhole` is true for the last call. */
  readonly onPeaks: (pyramid: PeakPyramid, isWhole: boolean) => void;
  /**
   * Called if the waveform is missing or incomplete: only the page can decode the file and it is too large, or it is
   * damaged.
   */
  readonly onFailure: (failure: VoxlaneError) => void;
}

/**
 * Limit for decoding on the page, which holds the whole recording in memory. An hour at 128 kbit/s is 58 MB encoded and
 * 460 MB decoded in stereo at the rate of the peaks. With more, the browser might end the tab.
 */
const MAX_BYTES_ON_PAGE = 64 * 2 ** 20;

/**
 * Reads the peaks of a recording in a separate decode worker, so it neither delays the analysis nor ends with the
 * engine. The worker ends with `scope`, after the last peak, or on failure.
 */
export function loadPeaks(scope: Scope, { blob, track, kept, onPeaks, onFailure }: PeaksRequest): void {
  if (kept) {
    onPeaks(PeakPyramid.from(kept), true);
    return;
  }
  const worker = new WorkerHandle<DecodeWorkerApi>(openWorker('decode'), 'waveform');
  const end = (): void => {
    worker.terminate(new VoxlaneError({ code: 'disposed', problem: 'The waveform is no longer needed' }));
  };
  scope.add(end);
  const pyramid = new PeakPyramid();
  const read = async (): Promise<void> => {
    await open(worker, blob, track);
    for (;;) {
      const extremes = await worker.call((remote) => remote.nextPeaks());
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

/** Opens the file in the worker or, if the worker cannot decode it, passes in the audio decoded on the page. */
async function open(worker: WorkerHandle<DecodeWorkerApi>, blob: Blob, track: number | undefined): Promise<void> {
  try {
    await worker.call((remote) => remote.openPeaks({ kind: 'file', blob }, track));
  } catch (thrown) {
    const isUnsupported = thrown instanceof VoxlaneError && thrown.code === 'audio-unsupported';
    if (!isUnsupported || blob.size > MAX_BYTES_ON_PAGE) throw thrown;
    const { channels, sampleRate } = await decodeOnPage(blob, PEAK_SAMPLE_RATE);
    const source = moved({ kind: 'channels' as const, channels, sampleRate, notes: [] }, ...channels);
    await worker.call((remote) => remote.openPeaks(source, undefined));
  }
}
