/** Length of recordings that only ffmpeg can decode. The engine for Node decodes them with ffmpeg, too. */
import { execFile } from 'node:child_process';
import { basename, dirname, join } from 'node:path';

/** `ffprobe` in `PATH`, or the one beside the ffmpeg that `VOXLANE_FFMPEG` names. */
function program(): string {
  const ffmpeg = process.env.VOXLANE_FFMPEG;
  if (ffmpeg === undefined) return 'ffprobe';
  const name = basename(ffmpeg).replace('ffmpeg', 'ffprobe');
  return dirname(ffmpeg) === '.' ? name : join(dirname(ffmpeg), name);
}

/**
 * @returns duration in seconds; null if there is no ffprobe, or if it finds no audio or no duration
 */
export function ffprobeSeconds(path: string): Promise<number | null> {
  const args = ['-v', 'error', '-select_streams', 'a:0', '-show_entries', 'format=duration:stream=codec_type', '-of', 'json', `file:${path}`];
  return new Promise((resolve) => {
    execFile(program(), args, (error, stdout) => { resolve(error ? null : durationIn(stdout)); });
  });
}

function durationIn(json: string): number | null {
  const { streams = [], format } = JSON.parse(json) as { readonly streams?: readonly unknown[]; readonly format?: { readonly duration?: string } };
  const seconds = Number(format?.duration);
  return streams.length > 0 && seconds > 0 ? seconds : null;
}
