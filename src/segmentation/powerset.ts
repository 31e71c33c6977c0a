/**
 * Turns powerset scores into local speaker activity.
 *
 * A powerset model has one class per *set* of simultaneous speakers: none, {1}, {2}, {3}, {1, 2} …
 * The best class of a frame says which local speakers talk in it.
 *
 * Matches `pyannote.audio.utils.powerset.Powerset.to_multilabel(soft=False)`: first class wins a tie.
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
