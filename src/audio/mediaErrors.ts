/** Errors for files other than WAV. */
import { VoxlaneError } from '../util/errors';
import { fileKindName } from './codecNames';

export function withoutIndex(): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-truncated',
    problem: 'The MP4 file has no index (its "moov" box), without which its sound cannot be found. The recorder did not finish the file, or a part of it is missing',
    remedy: 'Copy the whole file again, or restore the index with a program that repairs MP4 files, such as untrunc',
  });
}

/** Names the kind of a file that no demuxer recognizes. */
export async function unreadable(source: Blob): Promise<VoxlaneError> {
  const kind = await fileKindName(source);
  return unsupported(kind === null ? 'The file is not of a kind that can be read' : `The file is ${kind}, which cannot be read`);
}

/** @param heldSeconds end of the sound that the file holds */
export function damaged(reachedSeconds: number, heldSeconds: number): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-decode',
    problem: `The sound cannot be read from ${reachedSeconds.toFixed(3)} s on, although the file holds sound up to ${heldSeconds.toFixed(3)} s`,
    remedy: 'The file is damaged there; analyze the part before it with durationSeconds, or convert the file',
  });
}

/** @param heldSeconds what can be analyzed all the same; null where this is not known */
export function truncated(problem: string, heldSeconds: number | null): VoxlaneError {
  const stretch =
    heldSeconds === null
      ? 'repair it with "ffmpeg -i in -c copy out"'
      : `set durationSeconds so that the stretch ends by ${(Math.floor(heldSeconds * 1000) / 1000).toFixed(3)} s`;
  return new VoxlaneError({
    code: 'audio-truncated',
    problem,
    remedy: `Copy the whole file again, or ${stretch} to analyze the part that is there`,
  });
}

export function noDecoder(codec: string): VoxlaneError {
  return unsupported(`The sound is ${codec}, and this browser has no decoder for it`);
}

export function unsupported(problem: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'audio-unsupported',
      problem,
      expected: 'WAV, MP3, AAC, Opus, Vorbis or FLAC, alone or as the sound of an MP4, WebM or Matroska video',
      remedy: 'Convert the recording, with "ffmpeg -i in -ac 1 -ar 16000 out.wav" for example',
    },
    { cause },
  );
}
