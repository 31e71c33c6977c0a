/** The built page with a small seeded nemotron, and a server that plays the hub. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReleaseServer } from '../browser/release';
import { NEMOTRON } from '../seededNemotron';
import { ModelServer } from '../store/modelServer';
import { type SeededFolder, writeSeededFolder } from './modelFolder';

/** Layers of the seeded model. */
export const NUM_LAYERS = 4;

/** Servers of the page and of its hub. */
export interface NemotronSite {
  readonly release: ReleaseServer;
  readonly hub: ModelServer;
  readonly model: SeededFolder;
  readonly close: () => Promise<void>;
}

/** A release whose manifest and graph are those of the seeded model, as if it were the official one, and whose hub is local. */
export async function openNemotronSite(): Promise<NemotronSite> {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-nemotron-'));
  const model = writeSeededFolder(folder, NUM_LAYERS);
  const hub = await ModelServer.open({ bytes: model.weights, tag: '"one"' });
  const release = await ReleaseServer.open(new URL(hub.address).origin);
  for (const name of ['manifest.json', NEMOTRON.file.name]) {
    release.replace(`models/${NEMOTRON.id}/${name}`, readFileSync(join(folder, NEMOTRON.id, name)));
  }
  rmSync(folder, { recursive: true });
  return {
    release,
    hub,
    model,
    async close() {
      await hub.close();
      await release.remove();
    },
  };
}
