/** Replaces `place.ts` in the npm package. The package has the commands in `dist/cli`. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DiarizeCommand } from './diarizeOptions';
import type { FileEngine } from './fileEngine';
import { lazyEngine } from './lazyEngine';
import { NodeFileEngine } from './nodeFileEngine';
import { print } from './output';
import { loadNodeEngine } from './packagedNodeEngine';
import type { RepositoryCommand } from './place';
import { commandOf, type CommandModule } from './script';
import { UsageError } from './usage';

const DIST = dirname(dirname(fileURLToPath(import.meta.url)));

/** @throws Error with a one-line message if the package is missing */
function assetsFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('voxlane-assets')), 'voxlane');
  } catch (cause) {
    throw new Error(`the package voxlane-assets is missing. ${COPY_REMEDY}`, { cause });
  }
}

export const COPY_REMEDY = 'Install voxlane and voxlane-assets again, in one version';

export const modelsFolder = (): string => join(assetsFolder(), 'models');

export const filesToCopy = (): string[] => [join(DIST, 'voxlane'), assetsFolder()];

export const corpusWorker = (): string => join(DIST, 'cli/corpusWorker.js');

/** @throws UsageError for the browser engine, which is built from the repository */
export function openFileEngine(command: DiarizeCommand, model: string | undefined): FileEngine {
  if (command.engine === 'browser') throw new UsageError('--engine browser needs a clone of the repository. Use --engine node, the default');
  return lazyEngine(() => Promise.resolve(new NodeFileEngine(loadNodeEngine, command, model)));
}

/** What a user of the package can do instead. */
const ALTERNATIVES: Readonly<Record<RepositoryCommand, string>> = {
  evaluate: 'Use voxlane diarize for the recordings, and voxlane score for each result',
  compare: "Use Comparator from 'voxlane/compare', which also runs in Node",
  bisect: "Use Comparator.bisect() from 'voxlane/compare'",
  stage: "Use segment(), embed(), cluster() from 'voxlane', or Comparator.layer() from 'voxlane/compare'",
};

export function loadRepositoryCommand(name: RepositoryCommand): Promise<CommandModule> {
  const alternative = ALTERNATIVES[name];
  const HELP = `Usage: voxlane ${name}

This command needs a clone of the repository, with npm run --silent ${name}.
${alternative}.

  --help   print this text
`;
  const refuse = (args: readonly string[]): Promise<number> => {
    if (args.includes('--help') || args.includes('-h')) return print(HELP).then(() => 0);
    throw new UsageError(`the command needs a clone of the repository. ${alternative}`);
  };
  return Promise.resolve({ HELP, run: commandOf(name, 1, refuse) });
}
