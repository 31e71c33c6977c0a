import type { Page } from '@playwright/test';
import { meeting, type MeetingSizes } from '../timeline/meeting';
import type { KeptVoices } from '../../src/index';
import { CAMPPLUS } from '../../src/engine/settings';

/** Three hours with one window per second. */
export const THREE_HOURS: MeetingSizes = { numWindows: 10_800, numVoices: 8, dimension: 192, noise: 0.4, seed: 3 };

declare global {
  var meetingVoices: KeptVoices;
}

/** Loads the voices of a meeting into the engine page as `meetingVoices`. */
export async function putMeetingVoices(page: Page, sizes: MeetingSizes): Promise<void> {
  const { activity, embeddings, embedded, numSpeakers, dimension, geometry, minCleanFrames } = meeting(sizes);
  const plain: Omit<KeptVoices, 'activity' | 'embeddings' | 'embedded'> = {
    version: 1,
    preset: CAMPPLUS.preset,
    speed: 'exact',
    segmentation: { id: CAMPPLUS.segmentation, sha256: '' },
    embedding: { id: CAMPPLUS.embedding, sha256: '' },
    startSeconds: 0,
    clustering: CAMPPLUS.clustering,
    dendrogram: null,
    ...{ numSpeakers, dimension, geometry, minCleanFrames },
  };
  const files = { activity, embeddings, embedded };
  // Transfer over the network, because passing them as arguments would take minutes.
  await page.route('**/voices/*', (route) => {
    const name = new URL(route.request().url()).pathname.split('/').pop() as keyof typeof files;
    const { buffer, byteOffset, byteLength } = files[name];
    return route.fulfill({ body: Buffer.from(buffer, byteOffset, byteLength), contentType: 'application/octet-stream' });
  });
  await page.evaluate(async (facts) => {
    const bytes = async (name: string): Promise<ArrayBuffer> => (await fetch(`voices/${name}`)).arrayBuffer();
    globalThis.meetingVoices = {
      ...facts,
      activity: new Uint8Array(await bytes('activity')),
      embeddings: new Float32Array(await bytes('embeddings')),
      embedded: new Uint8Array(await bytes('embedded')),
    };
  }, plain);
}
