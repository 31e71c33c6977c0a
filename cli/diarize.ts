/**
 * Command line: finds who spoke when in recordings.
 *
 *     npm run --silent diarize -- INPUT… [options]
 */
import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { withoutSpace } from '../src/formats/rttm';
import { findInputs, type AudioInput } from './audioInputs';
import { HELP, type DiarizeCommand, type RunOptions } from './diarizeOptions';
import { isEnding } from './endings';
import { requireEngine } from './engineChoice';
import { errorLine, partsOf } from './errorLine';
import type { FileEngine, FileOutcome } from './fileEngine';
import { FileReport } from './fileReport';
import { requireFile } from './inputs';
import { findModel } from './modelFolder';
import { prepareFolder, print, reasonOf, say, setQuiet, writeResult } from './output';
import { resultNames } from './outputTree';
import { openFileEngine } from './place';
import { parseDiarize } from './presetChecks';
import { suffixOf, type Documents, type Format } from './resultDocuments';
import { commandOf, runScript } from './script';
import { parsed } from './usage';

/** A file with the places of its results. */
interface Job extends AudioInput {
  readonly uri: string;
  /** Result files by format; null without `--out`. */
  readonly outputs: ReadonlyMap<Format, string> | null;
}

async function main(args: readonly string[]): Promise<number> {
  const command = parsed(() => parseDiarize(args));
  if (command === 'help') {
    await print(HELP);
    return 0;
  }
  if (command.quiet) setQuiet(true);
  // These checks need neither an engine nor models.
  if (command.model !== undefined) requireFile(command.model);
  requireEngine(command.engine);
  return diarizeInputs(command, openFileEngine(command, command.model ?? findModel(command.preset)));
}

/** The command with an engine. @returns the exit status @throws Error with a one-line message if the engine cannot start */
export async function diarizeInputs(command: DiarizeCommand, engine: FileEngine): Promise<number> {
  if (command.out !== undefined) prepareFolder(command.out);
  const inputs = await findInputs(command.files);
  return diarizeAll(jobsOf(inputs, command), command, engine);
}

/** Assigns results to the files. */
function jobsOf(inputs: readonly AudioInput[], { out, formats, exclusive }: DiarizeCommand): Job[] {
  const names = resultNames(inputs.map(({ namePath, base }) => ({ path: namePath, base })));
  const stems = inputs.map(({ namePath }) => basename(namePath, extname(namePath)));
  // Several recordings in one RTTM stream need distinct names.
  const areDistinct = out !== undefined || new Set(stems).size === stems.length;
  const uris = out === undefined ? distinctInRttm(areDistinct ? stems : names) : stems;
  return inputs.map((input, index) => ({
    ...input,
    uri: uris[index]!,
    outputs: out === undefined ? null : new Map(formats.map((format) => [format, join(out, names[index]! + suffixOf(format, exclusive))])),
  }));
}

/** RTTM has no spaces, so `a b` and `a_b` have the same name there. The second gets a number. */
function distinctInRttm(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let distinct = name;
    for (let number = 2; taken.has(withoutSpace(distinct)); number++) distinct = `${name}-${number}`;
    taken.add(withoutSpace(distinct));
    return distinct;
  });
}

/** Diarizes the files one after the other. A failure of one file never affects the results of the others. */
async function diarizeAll(jobs: readonly Job[], command: DiarizeCommand, engine: FileEngine): Promise<number> {
  const report = new FileReport(jobs.length, command.json);
  const hasResults = ({ outputs }: Job): boolean => command.skipsExisting && outputs !== null && [...outputs.values()].every((path) => existsSync(path));
  const isProgressShown = command.progress || jobs.length === 1;
  let isStarted = false;
  const standardOutput = { isClosed: false };
  try {
    for (const job of jobs) {
      if (hasResults(job)) {
        await report.skipped(job.label);
        continue;
      }
      if (job.problem) {
        await report.failed(job.label, job.problem);
        continue;
      }
      // Models that cannot be loaded are reported once and not for every file.
      if (!isStarted) await engine.start();
      isStarted = true;
      try {
        if (standardOutput.isClosed) throw new Error('not diarized, because standard output is closed');
        const start = performance.now();
        const outcome = await diarizeFile(job, command, engine, isProgressShown);
        if (!outcome.ok) {
          await report.failed(job.label, outcome.error);
          continue;
        }
        const { documents, figures } = outcome;
        const seconds = (performance.now() - start) / 1000;
        if (job.outputs) writeDocuments(documents, job.outputs);
        try {
          if (!job.outputs && !command.json) await printDocuments(documents);
          await report.done(job.label, { figures, seconds, outputs: [...(job.outputs?.values() ?? [])], ...(!job.outputs && { documents }) });
        } catch (error) {
          standardOutput.isClosed = !job.outputs || command.json;
          throw error;
        }
      } catch (error) {
        if (isEnding()) throw error;
        await report.failed(job.label, partsOf(error) ?? { code: 'worker-failed', problem: errorLine(error) });
      }
    }
  } finally {
    await engine.close();
  }
  return report.end();
}

/** Progress is shown for the last of the models, because they advance together, and for the stages after them. */
const hiddenStages = (preset: DiarizeCommand['preset']): readonly string[] => ['decode', 'fbank', ...(preset === 'nemotron' ? [] : ['segmentation'])];

function diarizeFile({ path, uri, options: own }: Job, { preset, options, formats, exclusive }: DiarizeCommand, engine: FileEngine, isProgressShown: boolean): Promise<FileOutcome> {
  const hidden = hiddenStages(preset);
  let lastLine = '';
  const onProgress = (stage: string, completed: number): void => {
    const line = `  ${stage} ${Math.min(Math.floor(10 * completed) * 10, 100)} %`;
    if (!isProgressShown || line === lastLine || hidden.includes(stage)) return;
    lastLine = line;
    say(line);
  };
  return engine.diarize(path, { options: withOwn(options, own), formats, exclusive, file: basename(path), uri, dateMs: Date.now() }, onProgress);
}

/** What a manifest says about a file, unless the command line says something else about its speakers. */
function withOwn(options: RunOptions, { speakers, ...segment }: AudioInput['options']): RunOptions {
  const isAsked = options.speakers !== undefined || options.minSpeakers !== undefined || options.maxSpeakers !== undefined;
  return { ...options, ...segment, ...(speakers !== undefined && !isAsked && { speakers }) };
}

/** Writes each document completely or not at all. @throws Error with a one-line message that names the file */
function writeDocuments(documents: Documents, outputs: ReadonlyMap<Format, string>): void {
  for (const [format, path] of outputs) {
    try {
      mkdirSync(dirname(path), { recursive: true });
    } catch (cause) {
      throw new Error(`${path} cannot be written: ${reasonOf(cause)}`, { cause });
    }
    writeResult(path, documents[format]!);
  }
}

async function printDocuments(documents: Documents): Promise<void> {
  for (const text of Object.values(documents)) await print(text.endsWith('\n') || text === '' ? text : `${text}\n`);
}

export { HELP };
export const run = commandOf('voxlane', 1, main);

await runScript(import.meta.url, run);
