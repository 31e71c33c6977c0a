import type { StageEvent, StageName } from './stages';
import type { Progress } from './types';

/** Turns stage reports into progress for people: adds the time that is left, from the pace so far. */
export class ProgressMeter {
  private readonly firstSeen = new Map<StageName, number>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  read({ stage, completed, total, openEnded }: StageEvent): Progress {
    const time = this.now();
    const start = this.firstSeen.get(stage) ?? time;
    this.firstSeen.set(stage, start);
    const elapsedSeconds = (time - start) / 1000;
    const knowsPace = completed > 0 && elapsedSeconds > 0;
    if (openEnded) return { stage, completed, total, secondsLeft: null, openEnded };
    const secondsLeft = completed >= total ? 0 : knowsPace ? (elapsedSeconds * (total - completed)) / completed : null;
    return { stage, completed, total, secondsLeft };
  }
}
