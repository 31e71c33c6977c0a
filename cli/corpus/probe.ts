/** Checks a recording and finds its length from headers and packets, without decoding it. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { MPEG_TS, MP4, QTFF } from 'mediabunny';
import { ByteReader } from '../../src/audio/containers/byteReader';
import { findParts, type FilePart } from '../../src/audio/containers/fileParts';
import { lacksIndex, placeEdits, readEdits } from '../../src/audio/containers/mp4';
import { isProgramStream } from '../../src/audio/codecNames';
import { decoderFor, openAudio } from '../../src/audio/decode';
import { DamagedStructure, findTrack, openInput, unreadable, unsupported, withoutIndex } from '../../src/audio/mediaInput';
import { isWav } from '../../src/audio/wavHeader';
import { VoxlaneError } from '../../src/util/errors';
import { openFileBlob } from '../../src/util/nodeFileBlob';
import { isDamagedName } from '../inputs';
import { reasonOf } from '../output';
import { ffprobeSeconds } from './ffprobe';
import { Refused } from './source';

/** Facts about a recording that can be analyzed. */
export interface ProbedFile {
  readonly bytes: number;
  readonly modifiedMs: number;
  /** An estimate for containers that do not declare their length. */
  readonly durationSeconds: number;
}

/** The rate only rounds the times of a segment. */
const SAMPLE_RATE = 16_000;

/**
 * @param path absolute
 * @param segment checked against a truncated WAV file, which may still contain it
 * @throws Refused, VoxlaneError
 */
export async function probeFile(path: string, segment: { readonly startSeconds: number; readonly durationSeconds: number } | null): Promise<ProbedFile> {
  const { size, mtimeMs } = await requireRegular(path);
  const blob = await openFileBlob(path);
  const durationSeconds = await secondsOf(path, blob, segment);
  if (durationSeconds <= 0) throw new Refused({ code: 'audio-no-samples', problem: 'The recording has no audio', remedy: 'Check the file, or remove the entry' });
  return { bytes: size, modifiedMs: mtimeMs, durationSeconds };
}

/** @throws Refused, VoxlaneError */
async function secondsOf(path: string, blob: Blob, segment: Parameters<typeof probeFile>[1]): Promise<number> {
  try {
    return (await isWav(blob)) ? await wavSeconds(blob, segment) : await mediaSeconds(blob);
  } catch (error) {
    const isForeign = error instanceof VoxlaneError && error.code === 'audio-unsupported' && (await decoderFor(blob)) !== 'here';
    const seconds = isForeign ? await ffprobeSeconds(path) : null;
    if (seconds === null) throw error;
    return seconds;
  }
}

async function requireRegular(path: string): Promise<{ readonly size: number; readonly mtimeMs: number }> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw new Refused({ code: 'unreadable', problem: 'It is a folder, not a file', remedy: 'Give the folder as an input of the plan' });
    if (!stats.isFile()) throw new Refused({ code: 'unreadable', problem: 'It is not a regular file', remedy: 'Save the recording to a file first' });
    if (stats.size === 0) throw new Refused({ code: 'audio-empty', problem: 'The file is empty', remedy: 'Copy the recording again, or remove the entry' });
    await access(path, constants.R_OK);
    return stats;
  } catch (error) {
    if (error instanceof Refused) throw error;
    const isAbsent = ['ENOENT', 'ENOTDIR'].includes(String((error as { readonly code?: unknown }).code));
    if (isAbsent && isDamagedName(path)) {
      throw new Refused({ code: 'unreadable', problem: 'The name is not UTF-8, so the file cannot be opened', remedy: 'Rename the file or its folder, for example with convmv' });
    }
    throw new Refused(
      isAbsent
        ? { code: 'missing', problem: 'The file does not exist', remedy: 'Correct the path; relative paths are relative to the manifest' }
        : { code: 'unreadable', problem: `The file cannot be read: ${reasonOf(error)}`, remedy: 'Change the permissions of the file and its folders' },
    );
  }
}

/** @throws Refused if a file that an entry names beside its audio does not exist */
export async function requireBeside(path: string | undefined, what: string): Promise<void> {
  if (path === undefined) return;
  try {
    await access(path, constants.R_OK);
  } catch {
    throw new Refused({ code: 'missing', problem: `The ${what} ${path} does not exist or cannot be read`, remedy: 'Correct its path, or remove it from the entry' });
  }
}

async function wavSeconds(blob: Blob, segment: Parameters<typeof probeFile>[1]): Promise<number> {
  const lengthOf = async (options: object): Promise<number> => {
    const audio = await openAudio(blob, { sampleRate: SAMPLE_RATE, ...options });
    audio.close();
    return audio.facts.durationSeconds;
  };
  try {
    return await lengthOf({});
  } catch (error) {
    const isCut = error instanceof VoxlaneError && error.code === 'audio-truncated';
    if (!isCut || !segment || segment.durationSeconds === 0) throw error;
    return segment.startSeconds + (await lengthOf(segment));
  }
}

async function mediaSeconds(blob: Blob): Promise<number> {
  try {
    const { parts } = await findParts(blob, 1);
    let sum = 0;
    for (const part of parts) sum += part.durationSeconds ?? (await partSeconds(part));
    return sum;
  } catch (cause) {
    if (cause instanceof VoxlaneError) throw cause;
    const where = cause instanceof DamagedStructure ? `: its structure is damaged around byte ${cause.byte}` : '';
    throw unsupported(`The file cannot be read${where}`, cause);
  }
}

async function partSeconds({ segments, startsAnywhere }: FilePart): Promise<number> {
  const source = segments[0]!;
  const input = openInput(source);
  try {
    if ((await isProgramStream(source)) || !(await input.canRead())) throw await unreadable(source);
    const container = (await input.getFormat()).name;
    const isMp4 = container === MP4.name || container === QTFF.name;
    if (isMp4 && (await lacksIndex(new ByteReader(source)))) throw withoutIndex();
    const track = await findTrack(input, undefined);
    const declared = await track.getDurationFromMetadata();
    // A 0 counts as no length.
    const end = declared !== null && declared > 0 ? declared : await track.computeDuration({ metadataOnly: true });
    const edits = isMp4 ? await readEdits(new ByteReader(source), track.id) : null;
    const placed = edits && placeEdits(edits);
    if (placed) return Math.max(...placed.map(({ to, shift }) => Math.min(to, end) + shift));
    if (container === MPEG_TS.name) return end - (await input.getFirstTimestamp());
    return startsAnywhere ? end - (await track.getFirstTimestamp()) : end;
  } finally {
    input.dispose();
  }
}
