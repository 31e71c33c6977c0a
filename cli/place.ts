/**
 * Where the commands run: here, in a clone of the repository. The npm package replaces this module by `packagedPlace.ts`.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DiarizeCommand } from './diarizeOptions';
import type { FileEngine } from './fileEngine';
import { lazyEngine } from './lazyEngine';
import { loadNodeEngine } from './nodeEngine';
import { NodeFileEngine } from './nodeFileEngine';
import { say } from './output';
import type { CommandModule } from './script';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Contains `<model id>/manifest.json`. */
export const modelsFolder = (): string => join(ROOT, 'models');

/** Folders with the workers, and with models, golden outputs and runtime, for `copy`. */
export const filesToCopy = (): string[] => [join(ROOT, 'packages/voxlane/dist/voxlane'), join(ROOT, 'packages/voxlane-assets/voxlane')];

/** The module that runs in the worker processes of `corpus run`. */
export const corpusWorker = (): string => join(ROOT, 'cli/corpus/worker.ts');

/** What to do if a folder of {@link filesToCopy} is missing. */
export const COPY_REMEDY = 'Run npm run package first';

/** The engine of `diarize`. @param model file of the embedding model, if it is not the bundled one */
export function openFileEngine(command: DiarizeCommand, model: string | undefined): FileEngine {
  const { engine = command.backend === 'webgpu' ? 'browser' : 'node' } = command;
  if (engine === 'browser') return lazyEngine(async () => new (await import('./browserFileEngine')).BrowserFileEngine(command, model));
  return lazyEngine(() => Promise.resolve(new NodeFileEngine(() => loadNodeEngine(say), command, model)));
}

/** Commands that need a browser or the sources. */
export type RepositoryCommand = 'evaluate' | 'compare' | 'bisect' | 'stage';

/** Loads a command that the package does not have. */
export function loadRepositoryCommand(name: RepositoryCommand): Promise<CommandModule> {
  switch (name) {
    case 'evaluate':
      return import('./evaluate');
    case 'compare':
      return import('./compare');
    case 'bisect':
      return import('./bisect');
    case 'stage':
      return import('./stage');
  }
}
