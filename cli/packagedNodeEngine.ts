/** Replaces `nodeEngine.ts` in the npm package. The package has the command in `dist/cli` and the library for Node in `dist/node`. */
import type * as Library from '../src/index';

export async function loadNodeEngine(): Promise<typeof Library> {
  const address = new URL('../node/index.js', import.meta.url).href;
  return (await import(address)) as typeof Library;
}
