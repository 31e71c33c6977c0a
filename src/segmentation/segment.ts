import type { Graph } from '../ort/graph';
import type { SegmentationManifest } from '../store/manifest';
import { powersetToMultilabel } from './powerset';

/**
 * Local speaker activity of a batch of windows.
 *
 * "Local" because the speakers of a window are numbered in that window only: speaker 1 of one window may be
 * speaker 3 of the next. Matches `pyannote.audio.core.inference.Inference.infer` with powerset conversion.
 *
 * @param windows axes (window, sample), float32 in [-1, 1]
 * @returns axes (window, frame, local speaker), 0 or 1
 * @throws VoxlaneError `backend-failed`, `model-output`
 */
export async function segment(
  graph: Graph,
  { windowSamples, powerset }: SegmentationManifest,
  windows: Float32Array,
): Promise<Uint8Array> {
  const numWindows = windows.length / windowSamples;
  const scores = await graph.run({ data: windows, shape: [numWindows, 1, windowSamples] });
  return powersetToMultilabel(scores.data, powerset.mapping);
}
