import type { Annotation, EditableTurn } from '../../editing/annotation';
import { representativeTurns } from '../../editing/review';
import type { Stretch } from '../studio/studio';

/** A voice is known after some seconds, and two clips are compared better while the first is still in the ear. */
export const CLIP_SECONDS = 8;

/** So many stretches of a speaker are offered to compare with. */
const CHOICES = 4;

/** What is played of a stretch to compare voices: its beginning. */
export function clipOf({ startSeconds, endSeconds }: Stretch): Stretch {
  return { startSeconds, endSeconds: Math.min(endSeconds, startSeconds + CLIP_SECONDS) };
}

/** Stretches to know a speaker's voice by, the best first, without the turn that is compared with them. */
export function clipsOf(annotation: Annotation, speaker: string, turn: EditableTurn): Stretch[] {
  return representativeTurns(annotation, speaker, CHOICES + 1)
    .filter((stretch) => stretch.turn.id !== turn.id)
    .slice(0, CHOICES)
    .map(clipOf);
}

/** The player's position may be this far from the end of a stretch that it has played to its end. */
const SLACK_SECONDS = 0.06;

/**
 * Stretches that are played one after the other. Hears of the player's every change; ends when a person stops the
 * player or moves it elsewhere.
 */
export class ClipSequence {
  readonly #play: (stretch: Stretch) => void;
  #left: readonly Stretch[] = [];
  /** Whether the first of those that are left was heard playing. */
  #isHeard = false;

  constructor(play: (stretch: Stretch) => void) {
    this.#play = play;
  }

  start(...stretches: readonly Stretch[]): void {
    this.#left = stretches;
    this.#playFirst();
  }

  /** Where the player is, and whether it plays. */
  hear(seconds: number, playing: boolean): void {
    const [current] = this.#left;
    if (!current) return;
    const isInside = seconds >= current.startSeconds - SLACK_SECONDS && seconds <= current.endSeconds + SLACK_SECONDS;
    if (playing && isInside) this.#isHeard = true;
    if (!this.#isHeard) return;
    const isOver = !playing && Math.abs(seconds - current.endSeconds) <= SLACK_SECONDS;
    if (isOver) {
      this.#left = this.#left.slice(1);
      this.#playFirst();
    } else if (!playing || !isInside) {
      this.#left = [];
    }
  }

  #playFirst(): void {
    this.#isHeard = false;
    const [first] = this.#left;
    if (first) this.#play(first);
  }
}
