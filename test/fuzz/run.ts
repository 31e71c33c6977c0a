/**
 * Command line: fuzzes the file readers for some minutes. Each reader runs in its own process to detect endless loops and
 * exhausted memory.
 *
 *     npm run fuzz -- [--minutes N] [--seed S] [--reader NAME]
 */
// Must be imported first, because it counts buffers of modules loaded later.
import '../compare/memory';
import fc from 'fast-check';
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findingOf } from './judge';
import { mutatedFiles } from './mutations';
import { READERS } from './readers';

const USAGE = 'Usage: npm run fuzz -- [--minutes N] [--seed S] [--reader NAME]';
/** Time limit per file. Files of some kilobytes take longer only in an endless loop. */
const MAX_SECONDS_PER_FILE = 60;
const SHOWN_BYTES = 2000;

/** The result of one process. */
interface Report {
  readonly numFiles: number;
  /** Null if every file caused a result or a typed error. */
  readonly finding: { readonly message: string; readonly base64: string; readonly isShrunken: boolean } | null;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' }, reader: { type: 'string' } } });
  const minutes = Number(values.minutes);
  const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
  const readers = READERS.filter(({ name }) => values.reader === undefined || name === values.reader);
  if (!(minutes > 0) || !Number.isInteger(seed) || readers.length === 0) {
    console.error(`${USAGE}\nReaders: ${READERS.map(({ name }) => name).join(', ')}`);
    return 1;
  }
  console.log(`seed ${seed}`);
  const seconds = (minutes * 60) / readers.length;
  let numFindings = 0;
  for (const { name } of readers) {
    const { numFiles, finding } = await runApart(name, seed, seconds);
    console.log(`${name}: ${numFiles} files, ${finding ? 'a finding' : 'no finding'}`);
    if (!finding) continue;
    numFindings++;
    const bytes = Buffer.from(finding.base64, 'base64');
    console.log(`  ${finding.message.split('\n').slice(0, 8).join('\n  ')}`);
    console.log(`  The ${finding.isShrunken ? 'shrunken input' : 'input'} of ${bytes.length} bytes: ${JSON.stringify(bytes.subarray(0, SHOWN_BYTES).toString('latin1'))}`);
    if (bytes.length <= SHOWN_BYTES) console.log(`  in base64: ${finding.base64}`);
    console.log(`  To repeat: npm run fuzz -- --minutes ${minutes / readers.length} --seed ${seed} --reader ${name}`);
  }
  console.log(`${numFindings} findings, seed ${seed}`);
  return numFindings === 0 ? 0 : 1;
}

/** Fuzzes one reader in another process. */
async function runApart(name: string, seed: number, seconds: number): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-fuzz-'));
  const file = join(folder, 'input');
  const child = fork(fileURLToPath(import.meta.url), ['--child', name, String(seed), String(seconds), file], {
    execArgv: ['--import', 'tsx', '--max-old-space-size=1024'],
  });
  let numFiles = 0;
  const reports: Report[] = [];
  let problem = '';
  const watch = (): NodeJS.Timeout =>
    setTimeout(() => {
      problem = `read for more than ${MAX_SECONDS_PER_FILE} s`;
      child.kill('SIGKILL');
    }, 1000 * MAX_SECONDS_PER_FILE);
  let timer = watch();
  child.on('message', (message: number | Report) => {
    clearTimeout(timer);
    timer = watch();
    if (typeof message === 'number') numFiles = message;
    else reports.push(message);
  });
  const status = await new Promise<string>((resolve) => {
    child.on('close', (code, signal) => {
      resolve(`the process ended with ${signal ?? code}`);
    });
  });
  clearTimeout(timer);
  const input = readInput(file);
  rmSync(folder, { recursive: true });
  // A process that crashed or was killed has sent no report.
  return reports[0] ?? { numFiles, finding: { message: problem || status, base64: input ?? '', isShrunken: false } };
}

/** The current file in base64. */
function readInput(file: string): string | null {
  try {
    return readFileSync(file, 'base64');
  } catch {
    return null;
  }
}

/** Fuzzes one reader in this process. */
async function runHere(name: string, seed: number, seconds: number, file: string): Promise<void> {
  const reader = READERS.find((one) => one.name === name)!;
  let numFiles = 0;
  let reportedAt = 0;
  const property = fc.asyncProperty(mutatedFiles(await reader.seeds()), async (bytes) => {
    writeFileSync(file, bytes);
    numFiles++;
    if (Date.now() - reportedAt > 500) {
      process.send?.(numFiles);
      reportedAt = Date.now();
      // Return to the event loop to send the message.
      await new Promise(setImmediate);
    }
    const finding = await findingOf(reader, bytes);
    if (finding !== null) throw new Error(finding);
  });
  const { failed, counterexample, errorInstance } = await fc.check(property, {
    seed, numRuns: Number.MAX_SAFE_INTEGER, plugins: [fc.interruptAfterTimeLimit(1000 * seconds, { failOnInterrupt: false })],
  });
  const message = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  const finding = failed ? { message, base64: Buffer.from((counterexample as [Uint8Array] | null)?.[0] ?? []).toString('base64'), isShrunken: true } : null;
  process.send?.({ numFiles, finding } satisfies Report, () => {
    process.disconnect();
  });
}

if (process.argv[2] === '--child') {
  const [name = '', seed, seconds, file = ''] = process.argv.slice(3);
  await runHere(name, Number(seed), Number(seconds), file);
} else {
  process.exitCode = await main();
}
