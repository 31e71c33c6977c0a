/** Whether a file without turns is silent. */
import { openFileBlob } from '../../src/util/nodeFileBlob';
import type { FileOptions } from './workerProtocol';

/** −60 dB of full scale. Speech that people can understand is louder, and so is the noise of most microphones. */
export const SILENT_PEAK = 0.001;
const SAMPLE_RATE = 16_000;

/**
 * Whether no sample of the analyzed segment exceeds {@link SILENT_PEAK}.
 *
 * @returns null if the level cannot be read: WAV files can always be read, other formats only with decoders
 */
export async function isSilentFile(path: string, { startSeconds, durationSeconds, track }: FileOptions): Promise<boolean | null> {
  try {
    // Few files need it.
    const { openAudio } = await import('../../src/audio/decode');
    const audio = await openAudio(await openFileBlob(path), {
      sampleRate: SAMPLE_RATE,
      ...(startSeconds !== undefined && { startSeconds }),
      ...(durationSeconds !== undefined && { durationSeconds }),
      ...(track !== undefined && { track }),
    });
    try {
      for await (const piece of audio.pieces()) {
        if (piece.some((sample) => Math.abs(sample) > SILENT_PEAK)) return false;
      }
      return true;
    } finally {
      audio.close();
    }
  } catch {
    return null;
  }
}
