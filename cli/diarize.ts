import { basename, extname, join } from 'node:path';
import type { Page } from 'playwright-core';
import type { FileOutcome } from './page/enginePage';
import type { ModelDownload, Progress } from '../src/index';
import { HELP, outputNames, parseCommand, type DiarizeCommand } from './diarizeOptions';
import { isEnding } from './endings';
import { openEnginePage } from './enginePage';
import { errorLine } from './errorLine';
import { fileProblem, requireFile } from './inputs';
import { findModel } from './modelFolder';
import { prepareFolder, print, say, writeResult } from './output';
import { ReplaceableEngine } from './replaceableEngine';
import { commandOf, runScript } from './script';
import { parsed } from './usage';

async function main(args: readonly string[]): Promise<number> {
  const command = parsed(() => parseCommand(args));
  if (command === 'help') {
    await print(HELP);
    return 0;
  }
  // These checks need neither a browser nor models.
  if (command.model !== undefined) requireFile(command.model);
  if (command.out !== undefined) prepareFolder(command.out);
  const readable = command.files.filter((path) => isReadable(path));
  if (readable.length === 0) return 1;
  const written = await diarizeAll(readable, command);
  return written === command.files.length ? 0 : 1;
}

/** Reports the problem if the file is not readable. */
function isReadable(path: string): boolean {
  const problem = fileProblem(path);
  if (problem !== null) say(`voxlane: ${path}: ${problem}`);
  return problem === null;
}

/** @returns the number of files with a result */
async function diarizeAll(files: readonly string[], command: DiarizeCommand): Promise<number> {
  const names = command.out === undefined ? null : outputNames(command.files);
  let current = files[0]!;
  const engine = new ReplaceableEngine(
    () => openEnginePage(command.backend, say, { ownHub: Boolean(command.hub) }),
    (page) => prepare(page, command),
    () => { say(`${current}: the browser ended; trying again in a new one`); },
  );
  let written = 0;
  const standardOutput = { isClosed: false };
  try {
    // Load the models first, to report a failure once and not for every file.
    await engine.run(() => Promise.resolve());
    for (const path of files) {
      current = path;
      try {
        if (standardOutput.isClosed) throw new Error('not diarized, because standard output is closed');
        const outcome = await engine.run((page) => diarizeFile(page, path, command));
        if (!outcome.ok) throw new Error(outcome.message);
        say(`${path}: ${outcome.summary}`);
        for (const note of outcome.notes) say(`${path}: note: ${note}`);
        await emit(names?.get(path), outcome.text, command).catch((error: unknown) => {
          standardOutput.isClosed = names === null;
          throw error;
        });
        written++;
      } catch (error) {
        if (isEnding()) throw error;
        say(`voxlane: ${path}: ${errorLine(error)}`);
      }
    }
  } finally {
    await engine.close();
  }
  return written;
}

/** Creates the diarizer once for all files. */
async function prepare(page: Page, command: DiarizeCommand): Promise<void> {
  const { backend, trustGpu, preset, speed, clustering, trustModel, hub } = command;
  let lastLine = '';
  await page.exposeFunction('sayProgress', ({ stage, completed, total }: Progress) => {
    const percent = Math.floor((10 * completed) / total) * 10;
    const line = `  ${stage} ${Math.min(percent, 100)} %`;
    // The model stages progress together, so one of them is enough.
    if (line === lastLine || stage === 'fbank' || stage === 'decode' || stage === 'segmentation') return;
    lastLine = line;
    say(line);
  });
  let lastPercent = -1;
  await page.exposeFunction('sayDownload', ({ model, receivedBytes, totalBytes }: ModelDownload) => {
    const percent = Math.floor((10 * receivedBytes) / totalBytes) * 10;
    if (percent !== lastPercent) say(`  ${model} ${percent} % of ${totalBytes} bytes`);
    lastPercent = percent;
  });
  const model = command.model ?? findModel(preset);
  await page.setInputFiles('#files', model === undefined ? [] : [model]);
  const options = { backend, trustGpu, preset, speed, clustering, trustUnknownModel: trustModel, ...(hub !== undefined && { hub }) };
  const failure = await page.evaluate((request) => voxlane.open(request), options);
  if (failure !== null) throw new Error(failure);
}

async function diarizeFile(page: Page, path: string, command: DiarizeCommand): Promise<FileOutcome> {
  await page.setInputFiles('#file', path);
  const { options, format, exclusive } = command;
  const names = { file: basename(path), uri: basename(path, extname(path)) };
  return page.evaluate((request) => voxlane.diarizeFile(request), { options, format, exclusive, ...names });
}

async function emit(name: string | undefined, text: string, { out, format, exclusive }: DiarizeCommand): Promise<void> {
  if (out === undefined || name === undefined) {
    await print(text.endsWith('\n') || text === '' ? text : `${text}\n`);
    return;
  }
  const suffix = format === 'json' ? '.json' : exclusive ? '.exclusive.rttm' : '.rttm';
  writeResult(join(out, name + suffix), text);
}

export { HELP };
export const run = commandOf('voxlane', 1, main);

await runScript(import.meta.url, run);
