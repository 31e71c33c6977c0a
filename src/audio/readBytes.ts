import { VoxlaneError } from '../util/errors';

/** @throws VoxlaneError `audio-decode` where the file is gone since it was chosen */
export async function readBytes(source: Blob, start: number, end: number): Promise<DataView> {
  try {
    return new DataView(await source.slice(start, end).arrayBuffer());
  } catch (cause) {
    throw new VoxlaneError(
      {
        code: 'audio-decode',
        problem: `The file cannot be read at byte ${start}`,
        remedy: 'Choose the file again; it may have been moved or changed',
      },
      { cause },
    );
  }
}
