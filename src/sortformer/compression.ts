import { topk } from './topk';

/** Place of the compressed cache that the learned silence embedding fills. */
export const SILENCE = -1;

/**
 * Selects the frames that stay in a full cache: the best scores of all speakers, with `silenceFrames` places per speaker for
 * silence. Places without a frame are silence too.
 *
 * Matches the selection in `_compress` of `Nemotron3DiarizationSpeakerCache`: by speaker, then by time, silence last in each
 * speaker, and empty places at the end. A frame is selected twice if two speakers need it.
 *
 * @param scores axes (speaker, encoder frame), float32; -Infinity for frames that must not be selected
 * @param numPlaces size of the cache, in encoder frames
 * @returns axes (place): the encoder frame, or {@link SILENCE}
 */
export function selectFrames(scores: readonly Float32Array[], numPlaces: number, silenceFrames: number): Int32Array {
  const numFrames = scores[0]?.length ?? 0;
  const perSpeaker = numFrames + silenceFrames;
  // Silence always wins.
  const flat = new Float32Array(scores.length * perSpeaker).fill(Infinity);
  for (const [speaker, row] of scores.entries()) flat.set(row, speaker * perSpeaker);
  const selected = topk(flat, numPlaces).filter((index) => flat[index] !== -Infinity).sort();
  const places = new Int32Array(numPlaces).fill(SILENCE);
  for (const [place, index] of selected.entries()) {
    const frame = index % perSpeaker;
    if (frame < numFrames) places[place] = frame;
  }
  return places;
}
