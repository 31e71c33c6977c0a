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
} as const;

/** Modules that the package replaces by others. */
export const REPLACED: Readonly<Record<string, string>> = {
  'workers/openWorker.ts': 'workers/openPackagedWorker.ts',
  'src/engine/defaultFiles.ts': 'src/engine/packagedFiles.ts',
};
