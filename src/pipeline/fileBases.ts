import type { FileBase } from '../util/fileBase';
import { defaultFiles, type FileBases } from './defaultFiles';
import { checkFiles, type CheckedDiarizerOptions, type FileOptions, type OwnDiarizerOptions } from './options';

/**
 * Where files are fetched from: what options say, and the defaults for the rest, which are not looked for where all is
 * given.
 *
 * @throws VoxlaneError `options`, `model-missing`
 */
export async function fileBases(options: FileOptions): Promise<FileBases> {
  const { models, runtime, goldens } = checkFiles(options, document.baseURI);
  if (models !== undefined && runtime !== undefined && goldens !== undefined) return { models, runtime, goldens };
  const defaults = await defaultFiles();
  return { models: models ?? defaults.models, runtime: runtime ?? defaults.runtime, goldens: goldens ?? defaults.goldens };
}

/** Of the models alone. @throws VoxlaneError `options`, `model-missing` */
export async function modelsBase({ models }: Pick<FileOptions, 'models'>): Promise<FileBase> {
  return checkFiles({ models }, document.baseURI).models ?? (await defaultFiles()).models;
}

/** Checked options with where every file is. @throws VoxlaneError `model-missing` */
export async function withFiles(options: OwnDiarizerOptions): Promise<CheckedDiarizerOptions> {
  const { models, runtime, goldens } = await fileBases(options.files);
  return { ...options, modelsBase: models, runtimeBase: runtime, goldensBase: goldens };
}
