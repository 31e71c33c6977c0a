import type { SegmentSettings } from '../store/streamingSettings';
import { applyMinDurations } from '../timeline/minDurations';
import type { IndexedTurn } from '../timeline/turns';
import type { StreamLogits } from './chunkLoop';
import { sigmoid } from './probabilities';

/**
 * Turns logits into segments of speakers while a stream runs. Memory grows with the number of segments only.
 *
 * Matches `Nemotron3DiarizationProcessor.extract_speaker_dict`: a segment starts with the first frame whose probability exceeds
 * the threshold, and ends at the start of the first frame after it. Minimum durations are those of pyannote's `Binarize`; the
 * reference has none.
 */
export class SegmentBuilder {
  private readonly finished: IndexedTurn[] = [];
  /** First frame of the open segment of each speaker, or -1. */
  private readonly open: number[];
  private numFrames = 0;

  /**
   * @param frameSeconds distance between mel frames as a fraction: samples, and samples per second
   */
  constructor(
    private readonly settings: SegmentSettings,
    private readonly numSpeakers: number,
    private readonly frameSeconds: { readonly hopSamples: number; readonly sampleRate: number },
  ) {
    this.open = Array.from({ length: numSpeakers }, () => -1);
  }

  /** @param logits the frames that follow those of earlier calls */
  push({ logits, numFrames }: StreamLogits): void {
    const { numSpeakers } = this;
    for (let frame = 0; frame < numFrames; frame++, this.numFrames++) {
      for (let speaker = 0; speaker < numSpeakers; speaker++) {
        const isActive = sigmoid(logits[frame * numSpeakers + speaker]!) > this.settings.threshold;
        if (isActive && this.open[speaker]! < 0) this.open[speaker] = this.numFrames;
        if (!isActive && this.open[speaker]! >= 0) this.close(speaker);
      }
    }
  }

  /**
   * Segments up to now. Those that are still open end here.
   *
   * @returns seconds from the start; sorted by start, then end, then speaker
   */
  segments(): readonly IndexedTurn[] {
    const open = this.open.flatMap((from, speaker) => (from < 0 ? [] : [this.turn(speaker, from)]));
    const turns = [...this.finished, ...open].sort(
      (a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds || a.speakerIndex - b.speakerIndex,
    );
    const { minDurationOnSeconds, minDurationOffSeconds } = this.settings;
    return applyMinDurations(turns, { minDurationOn: minDurationOnSeconds, minDurationOff: minDurationOffSeconds });
  }

  private close(speaker: number): void {
    this.finished.push(this.turn(speaker, this.open[speaker]!));
    this.open[speaker] = -1;
  }

  private turn(speakerIndex: number, from: number): IndexedTurn {
    const { hopSamples, sampleRate } = this.frameSeconds;
    // One rounding each, so frame 57 of 10 ms is at 0.57.
    const seconds = (frame: number): number => (frame * hopSamples) / sampleRate;
    return { startSeconds: seconds(from), endSeconds: seconds(this.numFrames), speakerIndex };
  }
}
