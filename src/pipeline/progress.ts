import type { StageEvent, StageName } from './stages';
import type { Progress } from './types';

/** Turns stage reports into progress for people: adds the time that is left, from the pace so far. */
export class ProgressMeter {
  private readonly firstSeen = new Map<StageName, number>();
  private readonly lastCompleted = new Map<StageName, number>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  read({ stage, completed, total, openEnded }: StageEvent): Progress {
    const time = this.now();
    // A run that starts anew, on WASM after a failure of the GPU, has a pace of its own.
    const isRestart = completed < (this.lastCompleted.get(stage) ?? 0);
    this.lastCompleted.set(stage, completed);
    const start = isRestart ? time : (this.firstSeen.get(stage) ?? time);
    this.firstSeen.set(stage, start);
    const elapsedSeconds = (time - start) / 1000;
    const knowsPace = completed > 0 && elapsedSeconds > 0;
    if (openEnded) return { stage, completed, total, secondsLeft: null, openEnded };
    const secondsLeft = completed >= total ? 0 : knowsPace ? (elapsedSeconds * (total - completed)) / completed : null;
    return { stage, completed, total, secondsLeft };
  }
}
