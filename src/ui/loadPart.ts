import { VoxlaneError } from '../util/errors';

/**
 * Loads a part of the page's code that is fetched only where it is needed.
 *
 * @param load an `import()`
 * @throws VoxlaneError `worker-failed` without the browser's words ("Failed to fetch dynamically imported module"), which are
 *   the cause
 */
export async function loadPart<Part>(load: () => Promise<Part>): Promise<Part> {
  try {
    return await load();
  } catch (cause) {
    throw new VoxlaneError(
      {
        code: 'worker-failed',
        problem: 'A part of the page could not be loaded',
        expected: 'a connection to the server, with the same version of the page',
        remedy: 'Check the connection and reload the page',
      },
      { cause },
    );
  }
}
