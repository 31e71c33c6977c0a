import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserKind, Driver } from './driver';

/** A started browser that saves downloads to a temporary folder. */
export interface StartedBrowser {
  readonly driver: Driver;
  /** Path of the folder of downloads. */
  readonly downloads: string;
  /** Ends the browser and removes the folder. */
  end(): Promise<void>;
}

/** Starts a browser with an empty folder of downloads. */
export async function startBrowser(kind: BrowserKind): Promise<StartedBrowser> {
  const downloads = mkdtempSync(join(tmpdir(), 'voxlane-downloads-'));
  const removeFolder = (): void => {
    rmSync(downloads, { recursive: true, force: true });
  };
  try {
    const driver = await kind.start(downloads);
    return {
      driver,
      downloads,
      async end() {
        await driver.close();
        removeFolder();
      },
    };
  } catch (error) {
    removeFolder();
    throw error;
  }
}
