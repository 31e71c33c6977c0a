/**
 * Measures how time and memory grow with the length of the recording, from one minute to three hours.
 *
 *   npm run --silent bench:scale -- [FILE.wav…] [--minutes …] [--preset …] [--backend …] [--mp3] [--check] [--json]
 *
 * The same browser runs all recordings, shortest first. `--help` describes the measurements.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEnginePage, type EnginePage } from '../cli/enginePage';
import { say } from '../cli/output';
import { runCommand } from '../cli/script';
import type { DiarizerOptions } from '../src/index';
import { piecesOf, readClip, SAMPLE_RATE, shuffledSegments, turnsOf, writeWav, type Clip } from './scale/joined';
import { measureLength, type LengthFigures, type ScaleRecording } from './scale/measure';
import { BrowserMemory } from './scale/memory';
import { HELP, parseCommand, type ScaleCommand } from './scale/options';
import { printReport, reportOf } from './scale/report';
import { encodeVbrMp3 } from './scale/vbrMp3';

async function main(): Promise<number> {
  const command = parseCommand(process.argv.slice(2));
  if (command === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const missing = command.files.find((file) => !statSync(file, { throwIfNoEntry: false })?.isFile());
  if (missing !== undefined) throw new Error(`${missing} does not exist or is not a file.`);
  const clips = await Promise.all(command.files.map(readClip));
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  let engine: EnginePage | null = null;
  try {
    engine = await openEnginePage(command.backend, say);
    const report = await measure(engine, command, clips, folder);
    if (command.json) console.log(JSON.stringify(report, null, 2));
    else printReport(report);
    return command.check && report.missed.length > 0 ? 1 : 0;
  } finally {
    await engine?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure({ page }: EnginePage, command: ScaleCommand, clips: readonly Clip[], folder: string) {
  const options = { preset: command.preset as NonNullable<DiarizerOptions['preset']>, backend: command.backend };
  const memory = new BrowserMemory();
  try {
    const lengths: LengthFigures[] = [];
    for (const minutes of command.minutes) {
      say(`joining ${minutes} min …`);
      const recording = await writeRecording(folder, minutes, clips, command);
      const figures = await measureLength(page, recording, options, memory);
      rmSync(recording.path);
      const { wallSeconds, memory: used } = figures;
      say(`${minutes} min took ${wallSeconds.toFixed(1)} s, ${(used.peak / 1e6).toFixed(0)} MB at the peak`);
      lengths.push(figures);
    }
    return reportOf(command.preset, memory.kind, lengths);
  } finally {
    memory.stop();
  }
}

async function writeRecording(
  folder: string,
  minutes: number,
  clips: readonly Clip[],
  { seed, mp3 }: ScaleCommand,
): Promise<ScaleRecording> {
  const segments = shuffledSegments(clips, 60 * minutes, seed);
  const path = join(folder, `joined.${mp3 ? 'mp3' : 'wav'}`);
  if (mp3) writeFileSync(path, await encodeVbrMp3(piecesOf(segments), { sampleRate: SAMPLE_RATE }));
  else await writeWav(path, segments);
  return { minutes, path, reference: turnsOf(segments) };
}

await runCommand('bench:scale', 2, main);
