/** Errors about the model file of a command, for Node and for the page of the commands. */
import { NEMOTRON, PRESETS } from '../src/engine/settings';
import { type ErrorCode, VoxlaneError } from '../src/util/errors';
import { partsOf } from './errorLine';

/** Errors about the content of a file. The library names only the model in some of them. */
const ABOUT_CONTENT: ReadonlySet<ErrorCode> = new Set(['model-altered', 'model-invalid', 'model-output']);

/**
 * Adds the path of the model file and the remedy on the command line to an error about the file. The library has only the name of the
 * file. Returns all other errors unchanged.
 *
 * @param path as the user wrote it, or as found in `VOXLANE_MODELS`; undefined without a model file
 */
export function aboutModelFile(error: unknown, path: string | undefined): unknown {
  const parts = path === undefined ? null : partsOf(error);
  if (!parts) return error;
  const { code, problem, remedy } = parts;
  const ids = [NEMOTRON.model, PRESETS['community-1'].embedding];
  const isAboutFile = problem.includes(nameOf(path!)) || (ABOUT_CONTENT.has(code) && ids.some((id) => problem.includes(id)));
  if (!isAboutFile) return error;
  const other = 'Or name another file with --model, or omit it to download the model';
  const advice = code === 'model-altered' ? `${other}. If you trust the source of the file, add --trust-model` : other;
  return new VoxlaneError({ ...parts, problem: `${path}: ${problem}`, remedy: remedy === undefined ? advice : `${remedy}. ${advice}` });
}

/** Runs work that reads the model file. @throws the error of the work, as {@link aboutModelFile} returns it */
export async function namingModelFile<Result>(path: string | undefined, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw aboutModelFile(error, path);
  }
}

/** The page has no `node:path`. */
const nameOf = (path: string): string => path.split(/[\\/]/).at(-1)!;
