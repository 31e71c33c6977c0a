/**
 * Command line: copies the files that pages fetch.
 *
 *     npx voxlane copy FOLDER
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { messageOf } from '../src/util/errors';
import { print } from './output';
import { COPY_REMEDY, filesToCopy } from './place';
import { commandOf } from './script';
import { parsed, parseFlags } from './usage';

export const HELP = `Usage: voxlane copy FOLDER

Copies workers, models and runtime to FOLDER/voxlane, for bundlers that copy no files. The library looks for its files next to
the bundled script.

  --help   print this text
`;

async function main(args: readonly string[]): Promise<number> {
  const folder = parsed(() => {
    const { values, positionals } = parseFlags({ args: [...args], allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } });
    if (values.help) return null;
    if (positionals.length !== 1) throw new Error('expected one folder. Try --help');
    return positionals[0]!;
  });
  await print(folder === null ? HELP : `workers, models and runtime are in ${copyFiles(filesToCopy(), folder)}\n`);
  return 0;
}

/**
 * Copies the content of all folders to `target/voxlane`.
 *
 * @returns the folder with the copies
 * @throws Error with a one-line message that names the file
 */
export function copyFiles(sources: readonly string[], target: string): string {
  const missing = sources.find((source) => !existsSync(source));
  if (missing !== undefined) throw new Error(`${missing} is missing. ${COPY_REMEDY}`);
  const copies = resolve(target, 'voxlane');
  for (const source of sources) copyFolder(source, copies);
  return copies;
}

/** Each file appears complete or not at all, so that a running server never sends a part of one. */
function copyFolder(source: string, target: string): void {
  const files = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const entry of files) {
    const from = join(entry.parentPath, entry.name);
    const to = join(target, relative(source, from));
    const temporary = join(dirname(to), `.voxlane-${process.pid}.tmp`);
    try {
      mkdirSync(dirname(to), { recursive: true });
      copyFileSync(from, temporary);
      renameSync(temporary, to);
    } catch (cause) {
      // The first error is more useful than one from the cleanup.
      try {
        rmSync(temporary, { force: true });
      } catch {
        // The temporary file was never created.
      }
      throw new Error(`${to} cannot be written: ${messageOf(cause)}`, { cause });
    }
  }
}

export const run = commandOf('copy', 1, main);
