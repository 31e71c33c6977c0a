import { openSite } from '../../cli/site';

/** Builds the app and the test pages if they are missing or older than their sources. */
export default async function buildApp(): Promise<void> {
  const site = await openSite(console.log, ['cli', 'test']);
  await site.close();
}
