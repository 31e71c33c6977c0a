/** Opens files other than WAV with mediabunny, and creates their errors. */
import {
  ADTS,
  BlobSource,
  FLAC,
  Input,
  type InputAudioTrack,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  QTFF,
  type Source,
  WEBM,
} from 'mediabunny';
import { VoxlaneError } from '../util/errors';
import { HOST } from '../util/host';
import { fileKindName } from './codecNames';
import { ByteReader } from './containers/byteReader';
import { placeEdits, readEdits } from './containers/mp4';

export function withoutIndex(): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-truncated',
    problem: 'The MP4 file has no index (its "moov" box), so its audio cannot be located. The recorder did not finish the file, or a part of it is missing',
    remedy: 'Copy the whole file again, or restore the index with an MP4 repair tool, such as untrunc',
  });
}

/** Error for a file that no demuxer recognizes, with the kind of file if it is known. */
export async function unreadable(source: Blob): Promise<VoxlaneError> {
  const kind = await fileKindName(source);
  return unsupported(kind === null ? 'The file format is not supported' : `The file is ${kind}, which is not supported`);
}

/** @param heldSeconds end of the audio in the file */
export function damaged(reachedSeconds: number, heldSeconds: number): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-decode',
    problem: `The audio cannot be read after ${reachedSeconds.toFixed(3)} s, although the file contains audio up to ${heldSeconds.toFixed(3)} s`,
    remedy: 'The file is damaged at this point. Analyze the part before it with durationSeconds, or convert the file',
  });
}

/** @param heldSeconds length that can still be analyzed; null if unknown */
export function truncated(problem: string, heldSeconds: number | null): VoxlaneError {
  const alternative =
    heldSeconds === null
      ? 'repair it with "ffmpeg -i in -c copy out"'
      : `analyze only the part up to ${(Math.floor(heldSeconds * 1000) / 1000).toFixed(3)} s (durationSeconds)`;
  return new VoxlaneError({
    code: 'audio-truncated',
    problem,
    remedy: `Copy the whole file again, or ${alternative}`,
  });
}

export function noDecoder(codec: string): VoxlaneError {
  return unsupported(`The audio codec is ${codec}, for which ${HOST} has no decoder`);
}

export function unsupported(problem: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'audio-unsupported',
      problem,
      expected: 'WAV, MP3, AAC, Opus, Vorbis or FLAC, as an audio file or in an MP4, WebM or Matroska video',
      remedy: 'Convert the recording, for example with "ffmpeg -i in -ac 1 -ar 16000 out.wav"',
    },
    { cause },
  );
}

/** A demuxer that reads the same few offsets this many times in a row makes no progress. */
const MAX_REPEATS = 10_000;
/** Maximum number of offsets in such a loop. */
const MAX_PLACES = 8;

/** The method that mediabunny's demuxers call. The library's types omit it. */
interface ReadableSource {
  _read?: (start: number, ...others: unknown[]) => unknown;
}

/** A demuxer reads the same offsets of the file in an endless loop. */
export class DamagedStructure extends Error {
  constructor(readonly byte: number) {
    super(`The demuxer is in an endless loop around byte ${byte}`);
  }
}

/**
 * A source for mediabunny that throws if a demuxer is in an endless loop. Version 1.61 hangs on some damaged Matroska
 * files: `resync` in its `ebml.ts` does not advance 8 bytes before the end of the file, or at an element with an
 * invalid size.
 */
export function guardedSource(blob: Blob): Source {
  const source = new BlobSource(blob);
  const target = source as unknown as ReadableSource;
  const read = target._read;
  if (!read) return source;
  const places: number[] = [];
  let numRepeats = 0;
  target._read = (start, ...others) => {
    if (places.includes(start)) {
      numRepeats++;
    } else {
      numRepeats = 0;
      places.push(start);
      if (places.length > MAX_PLACES) places.shift();
    }
    if (numRepeats > MAX_REPEATS) throw new DamagedStructure(start);
    return read.call(source, start, ...others);
  };
  return source;
}

/**
 * All of mediabunny's formats except WAV, which `wav.ts` reads, and HLS: a playlist refers to other files, and this
 * code must not access the network.
 */
const FORMATS = [MP4, QTFF, MATROSKA, WEBM, OGG, MP3, FLAC, ADTS, MPEG_TS];

/** The caller must dispose of it. */
export function openInput(source: Blob): Input {
  return new Input({ source: guardedSource(source), formats: FORMATS });
}

/** @throws VoxlaneError `audio-unsupported`, `options` */
export async function findTrack(input: Input, number: number | undefined): Promise<InputAudioTrack> {
  if (!(await input.canRead())) throw unsupported('The file format is not supported');
  const primary = await input.getPrimaryAudioTrack();
  if (!primary) throw unsupported('The file has no audio track');
  if (number === undefined) return primary;
  const tracks = await input.getAudioTracks();
  const track = tracks[number - 1];
  if (track) return track;
  throw new VoxlaneError({
    code: 'options',
    problem: `The option track is ${number}, but the file has ${tracks.length} audio track${tracks.length === 1 ? '' : 's'}`,
    expected: tracks.length === 1 ? '1, or no track' : `a number from 1 to ${tracks.length}`,
    remedy: 'Change the option and run again',
  });
}

/** @param container name of mediabunny's format */
export const isMp4 = (container: string): boolean => container === MP4.name || container === QTFF.name;

/** What a container declares about its first audio track. */
interface ContainerInfo {
  /** In Hz; null if the container declares none. */
  readonly sampleRate: number | null;
  /** Whether an edit list plays several segments of the media. */
  readonly hasSeveralEdits: boolean;
}

/** Reads what the container declares. Decodes nothing. */
export async function containerInfo(source: Blob): Promise<ContainerInfo> {
  const input = openInput(source);
  try {
    const track = await findTrack(input, undefined);
    const edits = isMp4((await input.getFormat()).name) ? await readEdits(new ByteReader(source), track.id) : null;
    return { sampleRate: await track.getSampleRate(), hasSeveralEdits: edits !== null && (placeEdits(edits)?.length ?? 0) > 1 };
  } catch {
    return { sampleRate: null, hasSeveralEdits: false };
  } finally {
    input.dispose();
  }
}
