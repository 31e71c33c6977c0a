import { VoxlaneError } from '../util/errors';
import { fetchFile } from '../util/fetchFile';
import { addressIn, type FileBase } from '../util/fileBase';

/**
 * The golden bundle that ships with a model.
 *
 * @param base holds `<model id>.zip`
 * @returns the zip
 * @throws VoxlaneError `model-missing`
 */
export function fetchGoldens(id: string, base: FileBase): Promise<Uint8Array> {
  const address = addressIn(base, `${id}.zip`);
  return fetchFile(
    address,
    async (response) => new Uint8Array(await response.arrayBuffer()),
    (why, cause) =>
      new VoxlaneError(
        {
          code: 'model-missing',
          problem: `The golden outputs ${address} could not be fetched: ${why}`,
          expected: 'the folder goldens/ of this release at that address',
          remedy: 'Check the `goldens` option and that the server serves the folder',
        },
        { cause },
      ),
  );
}
