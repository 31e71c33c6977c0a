import { VoxlaneError } from '../util/errors';

/**
 * The golden bundle that ships with a model.
 *
 * @param base address of the folder with `<model id>.zip`, with a slash at its end
 * @returns the zip
 * @throws VoxlaneError `model-missing`
 */
export async function fetchGoldens(id: string, base: string): Promise<Uint8Array> {
  const address = new URL(`${id}.zip`, base).href;
  const response = await fetch(address).catch(() => null);
  if (response?.ok) return new Uint8Array(await response.arrayBuffer());
  throw new VoxlaneError({
    code: 'model-missing',
    problem: `The golden outputs ${address} could not be fetched`,
    expected: 'the folder goldens/ of this release at that address',
    remedy: 'Check the `goldens` option and that the server serves the folder',
  });
}
