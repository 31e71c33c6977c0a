import { splitOptions } from './optionNames';
import { checkDiarizerOptions } from './options';
import { endingOnFailure, type DiarizationSource } from './runInput';
import { shareDiarizer } from './sharedDiarizer';
import type { DiarizationResult, DiarizeOptions, DiarizerOptions } from './types';

/**
 * Finds who spoke when, on this machine, in one call.
 *
 * Calls with the same options share a diarizer, take turns, and load the models once. `idleSeconds` after the last call,
 * 60 unless an option says otherwise, the workers are ended; nothing needs to be disposed of.
 *
 * @param options those of a diarizer and those of a run
 * @throws VoxlaneError what `Diarizer.create` and `Diarizer.diarize` throw
 * @example
 * const { turns } = await diarize(file, { speakers: 2 });
 */
export async function diarize(
  source: DiarizationSource,
  options: DiarizerOptions & DiarizeOptions = {},
): Promise<DiarizationResult> {
  const { diarizer, run, share } = endingOnFailure(source, () => {
    const split = splitOptions(options);
    return { ...split, share: shareDiarizer(split.diarizer) };
  });
  try {
    return await share.diarize(source, run);
  } finally {
    const { idleSeconds } = checkDiarizerOptions(diarizer, document.baseURI);
    // Somebody else's share keeps the workers, and the next call finds them.
    if (idleSeconds !== Infinity) {
      setTimeout(() => {
        share.release();
      }, idleSeconds * 1000);
    }
  }
}
