import { openSite } from '../../cli/site';

/** Builds the app if it is missing or older than its sources. */
export default async function buildApp(): Promise<void> {
  const site = await openSite(console.log);
  await site.close();
}
