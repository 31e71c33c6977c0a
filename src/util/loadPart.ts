import { VoxlaneError } from './errors';

/**
 * Loads a part of the code that is fetched only where it is needed.
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
        problem: 'A part of Voxlane could not be loaded',
        expected: 'a connection to the server, which has the same version of Voxlane',
        remedy: 'Check the connection and reload the page',
      },
      { cause },
    );
  }
}
