import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { parseRttm } from '../../src/formats/rttm';
import type { Turn } from '../../src/index';
import { say } from '../output';
import { readTextFile } from '../textFile';

/** A recording with its reference. */
export interface Recording {
  /** File name without suffix; for captures, the name of the folder. */
  readonly name: string;
  readonly audio: string;
  readonly rttm: string;
}

const AUDIO = ['.wav', '.flac', '.mp3', '.m4a', '.mp4', '.ogg', '.opus', '.webm'];
/** File names of the recording and the reference in a pyannote capture. */
const CAPTURE = { audio: 'clip_16k.wav', rttm: 'reference.rttm' };

/**
 * Finds the recordings in folders: audio files with an RTTM file of the same name beside them, and captures.
 *
 * @throws Error for a folder that does not exist or has no recordings
 */
export function findRecordings(folders: readonly string[]): Recording[] {
  return folders.flatMap((folder) => {
    if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new Error(`${folder} is not a folder.`);
    const found = recordingsIn(folder);
    if (found.length === 0) {
      throw new Error(`${folder} holds no recording with a reference. Expected audio files with an RTTM file of the same name beside each.`);
    }
    return found;
  });
}

function recordingsIn(folder: string): Recording[] {
  const names = readdirSync(folder).sort();
  if (names.includes(CAPTURE.audio) && names.includes(CAPTURE.rttm)) {
    return [{ name: basename(folder), audio: join(folder, CAPTURE.audio), rttm: join(folder, CAPTURE.rttm) }];
  }
  const own = names
    .filter((name) => AUDIO.includes(extname(name).toLowerCase()))
    .map((name) => ({ name: basename(name, extname(name)), audio: join(folder, name) }))
    .map((recording) => ({ ...recording, rttm: join(dirname(recording.audio), `${recording.name}.rttm`) }))
    .filter(({ rttm }) => existsSync(rttm));
  const below = names.map((name) => join(folder, name)).filter((path) => statSync(path).isDirectory());
  return [...own, ...below.flatMap(recordingsIn)];
}

/** @throws Error that names the file if it cannot be read, or if it has several recordings but none with this name */
export function readReference({ name, rttm }: Recording): readonly Turn[] {
  const byRecording = parseRttm(readTextFile(rttm, (note) => { say(`evaluate: ${note}`); }));
  if (byRecording.size <= 1) return [...byRecording.values()][0] ?? [];
  const turns = byRecording.get(name);
  if (turns) return turns;
  throw new Error(`${rttm} holds ${[...byRecording.keys()].join(', ')}. Expected ${name} among them.`);
}
