import { PeakPyramid, type Peaks } from '../../audio/peaks';
import { messageOf, VoxlaneError } from '../../util/errors';
import type { Scope } from '../../util/scope';
import { spawnPeaksWorker } from './spawnPeaks';

export interface PeaksRequest {
  readonly blob: Blob;
  /** Peaks of this very recording from an earlier visit; with them nothing is decoded. */
  readonly kept: Peaks | null;
  /** Hears of the same pyramid again and again as it grows; `isWhole` the last time. */
  readonly onPeaks: (pyramid: PeakPyramid, isWhole: boolean) => void;
  /** No waveform, or none of the rest: the file has no decoder in a worker, or is broken from some point on. */
  readonly onFailure: (failure: VoxlaneError) => void;
}

/** Reads the peaks of a recording in a worker, which ends with `scope`, with the last peak, or with a failure. */
export function loadPeaks(scope: Scope, { blob, kept, onPeaks, onFailure }: PeaksRequest): void {
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
    await worker.call((remote) => remote.open(blob));
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
        thrown instanceof VoxlaneError ? thrown : new VoxlaneError({ code: 'worker-failed', problem: messageOf(thrown) }),
      );
    })
    .finally(end);
}
