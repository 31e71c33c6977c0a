import type { Graph } from '../ort/graph';
import type { SegmentationManifest } from '../store/manifest';
import { concatenate } from '../util/values';

/**
 * Converts powerset scores to local speaker activity.
 *
 * A powerset model has one class per *set* of simultaneous speakers: none, {1}, {2}, {3}, {1, 2} … The best class of
 * a frame determines which local speakers are active.
 *
 * Matches `pyannote.audio.utils.powerset.Powerset.to_multilabel(soft=False)`: the first class wins a tie.
 *
 * @param scores axes (frame, powerset class), any monotone scale such as log-probabilities
 * @param mapping axes (powerset class, local speaker), 0 or 1, from the model's manifest
 * @returns activity, axes (frame, local speaker), 0 or 1
 */
export function powersetToMultilabel(
  scores: Float32Array,
  mapping: readonly (readonly number[])[],
): Uint8Array {
  const numPowersetClasses = mapping.length;
  const numSpeakers = mapping[0]?.length ?? 0;
  const numFrames = scores.length / numPowersetClasses;
  const activity = new Uint8Array(numFrames * numSpeakers);
  for (let frame = 0; frame < numFrames; frame++) {
    const row = frame * numPowersetClasses;
    let best = 0;
    for (let k = 1; k < numPowersetClasses; k++) {
      if (scores[row + k]! > scores[row + best]!) best = k;
    }
    activity.set(mapping[best]!, frame * numSpeakers);
  }
  return activity;
}

/** The stage segmentation on one graph. */
export class Segmenter {
  /** Activity of a window of digital silence, which is always the same; null before the first such window. */
  private silence: Uint8Array | null = null;

  constructor(
    private readonly graph: Graph,
    private readonly manifest: SegmentationManifest,
  ) {}

  /**
   * Computes the local speaker activity of a batch of windows.
   *
   * "Local" means that speakers are numbered per window: speaker 1 of one window may be speaker 3 of the next.
   * Matches `pyannote.audio.core.inference.Inference.infer` with powerset conversion. The graph runs only once for
   * windows that contain only zeros.
   *
   * @param windows axes (window, sample), float32 in [-1, 1]
   * @returns axes (window, frame, local speaker), 0 or 1
   * @throws VoxlaneError `backend-failed`, `model-output`
   */
  async segment(windows: Float32Array): Promise<Uint8Array> {
    const { windowSamples } = this.manifest;
    const parts = Array.from({ length: windows.length / windowSamples }, (_, index) =>
      windows.subarray(index * windowSamples, (index + 1) * windowSamples),
    );
    const silent = parts.map((part) => part.every((sample) => sample === 0));
    if (!silent.includes(true)) return this.run(windows);

    this.silence ??= await this.run(new Float32Array(windowSamples));
    const cells = this.silence.length;
    const activity = new Uint8Array(parts.length * cells);
    const sounding = parts.filter((_, index) => !silent[index]);
    const activities = sounding.length > 0 ? await this.run(concatenate(sounding)) : new Uint8Array(0);
    let next = 0;
    for (const [index, isSilent] of silent.entries()) {
      activity.set(isSilent ? this.silence : activities.subarray(next * cells, ++next * cells), index * cells);
    }
    return activity;
  }

  private async run(windows: Float32Array): Promise<Uint8Array> {
    const { windowSamples, powerset } = this.manifest;
    const shape = [windows.length / windowSamples, 1, windowSamples];
    const scores = await this.graph.run({ data: windows, shape });
    return powersetToMultilabel(scores.data, powerset.mapping);
  }
}
