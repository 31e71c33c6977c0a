import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { isEnding } from './endings';
import type { EnginePage } from './enginePage';

/** If the browser ends more often during one piece of work, the work is the likely cause. */
const MAX_REPLACEMENTS = 1;
/** Maximum delay between a failed call and the browser's report of a crashed page. */
const REPORT_MS = 2000;

/** The library in a browser that is replaced if it ends or its renderer crashes. Pages do not recover from a renderer crash. */
export class ReplaceableEngine {
  private engine: EnginePage | null = null;
  private isPrepared = false;

  /**
   * @param open starts a browser
   * @param prepare loads the models in a new browser
   * @param onReplace called before work is repeated
   * @param advice what the user can do if the browser keeps ending
   */
  constructor(
    private readonly open: () => Promise<EnginePage>,
    private readonly prepare: (page: Page) => Promise<void>,
    private readonly onReplace: () => void,
    private readonly advice = 'Free some memory, or split the recording',
  ) {}

  /**
   * Runs `work` on the page and repeats it on a new page if the browser ended meanwhile.
   *
   * @throws errors of `open`, `prepare` and `work`; Error with a one-line message if the new browser also ended
   */
  async run<Result>(work: (page: Page) => Promise<Result>): Promise<Result> {
    for (let replaced = 0; ; replaced++) {
      const engine = (this.engine ??= await this.open());
      try {
        if (!this.isPrepared) await this.prepare(engine.page);
        this.isPrepared = true;
        return await work(engine.page);
      } catch (error) {
        const hasEnded = await Promise.race([engine.ended.then(() => true), delay(REPORT_MS, false)]);
        if (!hasEnded || isEnding()) throw error;
        await this.close();
        if (replaced === MAX_REPLACEMENTS) {
          throw new Error(`the browser ended ${replaced + 1} times during this work. ${this.advice}`, { cause: error });
        }
        this.onReplace();
      }
    }
  }

  async close(): Promise<void> {
    const { engine } = this;
    this.engine = null;
    this.isPrepared = false;
    await engine?.close();
  }
}
