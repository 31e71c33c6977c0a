import { VoxlaneError } from '../util/errors';
import { addressIn, type FileBase } from '../util/fileBase';

/**
 * The golden bundle that ships with a model.
 *
 * @param base holds `<model id>.zip`
 * @returns the zip
 * @throws VoxlaneError `model-missing`
 */
export async function fetchGoldens(id: string, base: FileBase): Promise<Uint8Array> {
  const address = addressIn(base, `${id}.zip`);
  const response = await fetch(address).catch(() => null);
  if (response?.ok) return new Uint8Array(await response.arrayBuffer());
  throw new VoxlaneError({
    code: 'model-missing',
    problem: `The golden outputs ${address} could not be fetched`,
    expected: 'the folder goldens/ of this release at that address',
    remedy: 'Check the `goldens` option and that the server serves the folder',
  });
}
