import type { KeptVoices } from '../../pipeline/keptVoices';
import { loadPart } from '../../util/loadPart';
import type { Clusterer } from './session';

/** Where the panel gets what it clusters, or why there is nothing to cluster. */
export type CountSource =
  | { readonly open: () => Promise<Clusterer> }
  /** Imported: turns of a file, without voices. Dropped: the browser had no room for them, or lost them. */
  | { readonly absence: 'imported' | 'dropped' };

/**
 * The kept voices of a result, clustered in a worker of their own.
 *
 * @param load gives the voices; asked when the panel is first shown, so that stored ones are read only then. The code that
 *   clusters is fetched then too
 */
export function keptVoicesSource(load: () => Promise<KeptVoices>): CountSource {
  return {
    async open() {
      const [voices, { Reclusterer }] = await Promise.all([load(), loadPart(() => import('../../pipeline/reclusterer'))]);
      return Reclusterer.create(voices);
    },
  };
}
