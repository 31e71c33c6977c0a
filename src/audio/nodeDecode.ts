/** Replaces `pageDecode.ts` in the Node build: ffmpeg decodes the files that this library cannot decode. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VoxlaneError } from '../util/errors';
import { recordingNotes } from './notes';
import type { AudioFile, DecodedFile, DecoderPlace } from './types';

/** Name or path of the program. */
const program = (): string => process.env.VOXLANE_FFMPEG ?? 'ffmpeg';

/**
 * Decodes a file to a temporary WAV file of float samples, at the rate and with the channels of the file.
 *
 * @param place result of `decoderFor`
 * @returns null if ffmpeg cannot decode it either; `openAudio` then throws an error with the codec
 * @throws VoxlaneError `audio-unsupported` if the codec is known, but there is neither WebCodecs nor ffmpeg
 */
export async function decodeInstead(file: AudioFile, place: Exclude<DecoderPlace, 'here'>): Promise<DecodedFile | null> {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  const release = (): void => {
    rmSync(folder, { recursive: true, force: true });
    process.off('exit', release);
  };
  process.once('exit', release);
  const path = join(folder, 'decoded.wav');
  try {
    const end = await runFfmpeg(await pathOf(file, folder), path);
    if (end === 'decoded') {
      const notes = place === 'unknown' ? [recordingNotes.ffmpegDecoder()] : [];
      return { source: { kind: 'path', path, notes }, release };
    }
    release();
    if (end === 'missing' && place === 'page') throw noDecoders();
    return null;
  } catch (error) {
    release();
    throw error;
  }
}

async function pathOf(file: AudioFile, folder: string): Promise<string> {
  if (file.kind === 'path') return file.path;
  const path = join(folder, 'source');
  await writeFile(path, file.blob.stream());
  return path;
}

function runFfmpeg(from: string, to: string): Promise<'decoded' | 'failed' | 'missing'> {
  const options = ['-hide_banner', '-loglevel', 'error', '-nostdin', '-i', `file:${from}`];
  const output = ['-map', '0:a:0', '-c:a', 'pcm_f32le', '-rf64', 'auto', '-f', 'wav', `file:${to}`];
  return new Promise((resolve) => {
    const child = spawn(program(), [...options, ...output], { stdio: 'ignore' });
    child.once('error', () => { resolve('missing'); });
    child.once('close', (status) => { resolve(status === 0 ? 'decoded' : 'failed'); });
  });
}

function noDecoders(): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-unsupported',
    problem: 'Node has no decoder for this audio format',
    expected: 'WAV, MP3 or Opus; for AAC and FLAC, the package @napi-rs/webcodecs or the program ffmpeg; for all others, ffmpeg',
    remedy: 'Install ffmpeg by the package manager of the system, or for AAC and FLAC "npm install @napi-rs/webcodecs" (on Node 20: @napi-rs/webcodecs@1.3)',
  });
}
