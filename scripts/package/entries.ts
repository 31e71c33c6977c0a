import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
/** Folder of the code package. */
export const CODE_PACKAGE = join(ROOT, 'packages/voxlane');
/** Folder of the package with the models, their golden outputs and ONNX Runtime. */
export const ASSETS_PACKAGE = join(ROOT, 'packages/voxlane-assets');

/** Source modules of the package's entries, by script name in `dist`. */
export const ENTRIES = {
  index: 'src/index.ts',
  widget: 'src/entries/widget.ts',
  formats: 'src/entries/formats.ts',
  score: 'src/entries/score.ts',
  compare: 'src/entries/compare.ts',
  react: 'src/entries/react.ts',
} as const;

/** Entries of the build for Node. The others run there unchanged. Only the command imports `commands`. */
export const NODE_ENTRIES = { index: ENTRIES.index, compare: ENTRIES.compare, commands: 'cli/engine/nodeCommands.ts' } as const;

/** Modules that the build for Node replaces by others, in the entries and in the workers. */
export const REPLACED_FOR_NODE: Readonly<Record<string, string>> = {
  'workers/openWorker.ts': 'workers/openNodeWorker.ts',
  'workers/life.ts': 'workers/nodeLife.ts',
  'src/engine/defaultFiles.ts': 'src/engine/nodeFiles.ts',
  'src/engine/remember.ts': 'src/engine/nodeRemember.ts',
  'src/store/cacheTools.ts': 'src/store/nodeCacheTools.ts',
  'src/audio/decoders.ts': 'src/audio/nodeDecoders.ts',
  'src/audio/pageDecode.ts': 'src/audio/nodeDecode.ts',
  'src/util/host.ts': 'src/util/nodeHost.ts',
};

/** Entries of the command, by script name in `dist/cli`. */
export const COMMAND_ENTRIES = { voxlane: 'cli/voxlane.ts', corpusWorker: 'cli/corpus/worker.ts' } as const;

/** Modules that the command of the package replaces by others. */
export const REPLACED_IN_COMMAND: Readonly<Record<string, string>> = {
  'cli/place.ts': 'cli/packagedPlace.ts',
  'cli/nodeEngine.ts': 'cli/packagedNodeEngine.ts',
  'src/audio/decoders.ts': 'cli/noDecoders.ts',
  'src/util/host.ts': 'src/util/nodeHost.ts',
};

/** Modules that the package replaces by others in browsers. */
export const REPLACED: Readonly<Record<string, string>> = {
  'workers/openWorker.ts': 'workers/openPackagedWorker.ts',
  'src/engine/defaultFiles.ts': 'src/engine/packagedFiles.ts',
};
