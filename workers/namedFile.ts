import { unavailable } from '../src/store/load';
import { openPath } from '../src/util/host';
import type { LoadRequest } from './contracts';

/**
 * The user's file, with its name for errors and notes. In Node, a path is opened here, because Node cannot send a file on disk to a
 * thread: the file is read in parts, and no copy of it is in memory.
 *
 * @returns undefined if the user brought no file
 * @throws VoxlaneError `model-missing` if the path cannot be opened
 */
export async function namedFile({ modelFile, modelName }: Pick<LoadRequest, 'modelFile' | 'modelName'>): Promise<Blob | undefined> {
  if (typeof modelFile === 'string') {
    const name = modelFile.split(/[\\/]/).at(-1)!;
    const blob = await openPath(modelFile).catch((cause: unknown) => {
      throw unavailable(`The file ${name} could not be read`, cause);
    });
    return withName(blob, name);
  }
  return modelFile === undefined || modelName === undefined || modelFile instanceof File ? modelFile : withName(modelFile, modelName);
}

/** Files of more than 4 GiB keep no name. No model is that large. */
function withName(blob: Blob, name: string): Blob {
  const file = new File([blob], name);
  return file.size === blob.size ? file : blob;
}
