import { mkdir, stat, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Page } from 'playwright-core';
import type { FileOutcome } from './page/enginePage';
import type { ModelDownload, Progress } from '../src/index';
import { findModel } from './modelFolder';
import { HELP, outputNames, parseCommand, type DiarizeCommand } from './diarizeOptions';
import { openEnginePage } from './enginePage';
import { runCommand } from './script';

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

async function main(): Promise<number> {
  const command = parseCommand(process.argv.slice(2));
  if (command === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  if (command.out !== undefined) await mkdir(command.out, { recursive: true });
  const engine = await openEnginePage(command.backend, say, { ownHub: Boolean(command.hub) });
  try {
    await prepare(engine.page, command);
    const names = command.out === undefined ? null : outputNames(command.files);
    let failed = 0;
    for (const path of command.files) {
      const outcome = await diarizeFile(engine.page, path, command);
      if (outcome.ok) {
        say(`${path}: ${outcome.summary}`);
        await emit(names?.get(path), outcome.text, command);
      } else {
        failed++;
        say(`voxlane: ${path}: ${outcome.message}`);
      }
    }
    return failed === 0 ? 0 : 1;
  } finally {
    await engine.close();
  }
}

/** Makes the diarizer, once for all files. */
async function prepare(page: Page, command: DiarizeCommand): Promise<void> {
  const { backend, trustGpu, preset, speed, clustering, trustModel, hub } = command;
  let lastLine = '';
  await page.exposeFunction('sayProgress', ({ stage, completed, total }: Progress) => {
    const percent = Math.floor((10 * completed) / total) * 10;
    const line = `  ${stage} ${Math.min(percent, 100)} %`;
    // The model stages move together: one of them is enough to follow.
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
  const problem = await stat(path).then(
    (found) => (found.isFile() ? null : 'is not a file'),
    () => 'does not exist or cannot be read',
  );
  if (problem) return { ok: false, message: `the file ${problem}.` };
  await page.setInputFiles('#file', path);
  const { options, format, exclusive } = command;
  const names = { file: basename(path), uri: basename(path, extname(path)) };
  return page.evaluate((request) => voxlane.diarizeFile(request), { options, format, exclusive, ...names });
}

async function emit(name: string | undefined, text: string, { out, format, exclusive }: DiarizeCommand): Promise<void> {
  if (out === undefined || name === undefined) {
    process.stdout.write(text.endsWith('\n') || text === '' ? text : `${text}\n`);
    return;
  }
  const suffix = format === 'json' ? '.json' : exclusive ? '.exclusive.rttm' : '.rttm';
  await writeFile(join(out, name + suffix), text);
}

await runCommand('voxlane', 1, main);
