/** Live changes of the number of speakers for the voices of one hour in the page. */
import { openEngine } from '../../test/browser/engine';
import { putMeetingVoices, THREE_HOURS } from '../../test/browser/meetingVoices';
import { expect, test } from '../../test/browser/test';

const COUNTS = [8, 5, 1, 10];

test('after many other numbers of speakers, the result equals a fresh one', async ({ page }) => {
  test.setTimeout(300_000);
  await openEngine(page);
  await putMeetingVoices(page, { ...THREE_HOURS, numWindows: 3600 });
  const { steps, fresh } = await page.evaluate(async (counts) => {
    const reclusterer = await voxlane.Reclusterer.create(meetingVoices);
    const results: { speakers: number; turns: readonly { speaker: string }[] }[] = [];
    for (const speakers of counts) results.push({ speakers, turns: (await reclusterer.cluster({ speakers })).turns });
    reclusterer.dispose();
    // Another worker without state from earlier requests.
    const other = await voxlane.Reclusterer.create(meetingVoices);
    const { turns } = await other.cluster({ speakers: 5 });
    other.dispose();
    return { steps: results, fresh: turns };
  }, COUNTS);
  expect(steps.find(({ speakers }) => speakers === 5)!.turns).toEqual(fresh);
  expect(new Set(fresh.map(({ speaker }) => speaker)).size).toBe(5);
});
