/** A seeded model for the pages of a browser context: its manifest and graph, and a hub with its weights. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext } from '@playwright/test';
import { NEMOTRON } from '../seededNemotron';
import { writeSeededFolder } from './modelFolder';

/**
 * Answers requests for the model with a seeded one of `numLayers` layers. The hub is at `/hub/` of the page's origin, because the
 * page's policy allows no other.
 *
 * @returns the paths of all requests to the hub so far; each request adds one
 */
export async function serveSeededModel(context: BrowserContext, numLayers: number): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-nemotron-'));
  try {
    const { weights } = writeSeededFolder(folder, numLayers);
    for (const name of ['manifest.json', NEMOTRON.file.name]) {
      const body = readFileSync(join(folder, NEMOTRON.id, name));
      await context.route(`**/models/${NEMOTRON.id}/${name}`, (route) => route.fulfill({ body }));
    }
    const requests: string[] = [];
    await context.route('**/hub/**', (route) => {
      requests.push(new URL(route.request().url()).pathname);
      return route.fulfill({ body: Buffer.from(weights), headers: { etag: '"one"' } });
    });
    return requests;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
