import { PYANNOTE_3_1 } from '../../src/engine/settings';
import { putMeetingVoices, THREE_HOURS } from '../../test/browser/meetingVoices';
import { openEngine, withBrowser } from './browser';
import type { Group } from './figure';

const COUNTS = [8, 7, 6, 5, 4, 3, 2, 1, 9, 10];

/** Reclusters the voices of three hours in the page with other numbers of speakers. recluster.spec.ts checks the results. */
export const recluster: Group = {
  name: 'recluster',
  bounds: [
    {
      name: 'recluster-step',
      what: 'longest of ten changes of the number of speakers, three hours, in the page',
      unit: 's',
      limit: 1,
      side: 'at most',
      reason: 'the result follows a slider; absolute because a user waits for each change',
    },
    {
      name: 'recluster-pyannote',
      what: "the same with pyannote 3.1's clustering",
      unit: 's',
      limit: 1,
      side: 'at most',
      reason: 'the result follows the slider with either clustering; absolute because a user waits for each change',
    },
    {
      name: 'recluster-task',
      what: 'longest main-thread task meanwhile, as reported by the browser; 0 if none exceeds 50 ms',
      unit: 'ms',
      limit: 50,
      side: 'at most',
      reason: 'tasks over 50 ms (long tasks) noticeably delay input, so the limit is absolute',
    },
  ],
  measure: (_wanted, say) =>
    withBrowser(say, async ({ page }) => {
      await openEngine(page);
      await putMeetingVoices(page, THREE_HOURS);
      return page.evaluate(
        async ([counts, pyannote]) => {
          const longTasks: number[] = [];
          new PerformanceObserver((list) => {
            longTasks.push(...list.getEntries().map(({ duration }) => duration));
          }).observe({ type: 'longtask' });
          const longestStep = async (voices: typeof meetingVoices): Promise<number> => {
            const reclusterer = await voxlane.Reclusterer.create(voices);
            // The linkage is computed once, when the panel opens. Results of the page already contain it.
            await reclusterer.cluster();
            const seconds: number[] = [];
            for (const speakers of counts) {
              const start = performance.now();
              await reclusterer.cluster({ speakers });
              seconds.push((performance.now() - start) / 1000);
            }
            reclusterer.dispose();
            return Math.max(...seconds);
          };
          return {
            'recluster-step': await longestStep(meetingVoices),
            'recluster-pyannote': await longestStep({ ...meetingVoices, clustering: pyannote }),
            'recluster-task': Math.max(0, ...longTasks),
          };
        },
        [COUNTS, PYANNOTE_3_1.clustering] as const,
      );
    }),
};
