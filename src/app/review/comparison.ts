import type { EditableTurn } from '../../editing/annotation';
import { button } from '../../ui-kit/controls';
import { h, icon, setText } from '../../ui-kit/dom';
import { swatch } from '../../ui-kit/tracks/palette';
import { speakerName } from '../../ui-kit/tracks/model';
import type { Segment } from '../../util/segment';
import { createSpeakerChoice } from '../editor/speakerChoice';
import type { Editor } from '../editor/editor';
import { clipOf, clipsOf, ClipSequence } from './queue';
import { reviewText } from './text';

const words = reviewText.compare;

interface Comparison {
  readonly element: HTMLElement;
  /** Sets the turn to compare. It is first compared with its own speaker. */
  readonly setTurn: (turn: EditableTurn) => void;
  readonly playA: () => void;
  readonly playB: () => void;
  readonly playBoth: () => void;
  /** Reports the state of the player, to play B after A. */
  readonly hear: (seconds: number, playing: boolean) => void;
}

/** Compares two clips: this turn, and a segment of its assigned speaker or another one. */
export function createComparison(editor: Editor): Comparison {
  const { scope } = editor;
  const sequence = new ClipSequence(editor.play);
  let turn: EditableTurn | null = null;
  let speaker = '';
  let clips: readonly Segment[] = [];
  let place = 0;

  const play = (...segments: readonly (Segment | null | undefined)[]): void => {
    const there = segments.filter((segment) => segment !== null && segment !== undefined);
    if (there.length > 0) sequence.start(...there);
  };
  const clipA = (): Segment | null => (turn ? clipOf(turn) : null);
  const playA = (): void => {
    play(clipA());
  };
  const playB = (): void => {
    play(clips[place]);
  };
  const playBoth = (): void => {
    play(clipA(), clips[place]);
  };

  const nameA = h('p', { class: 'review__clip-name' });
  const chosen = createSpeakerChoice(scope, {
    testId: 'compare-speaker',
    placeholder: null,
    isEachStep: true,
    onChoose: (id) => {
      choose(id);
      update();
    },
  });
  const swatchB = h('span', { class: 'review__clip-swatch' });
  const where = h('p', { class: 'fine', 'data-testid': 'compare-place' });
  const clipButton = (label: string, key: string, testId: string, onClick: () => void): HTMLButtonElement =>
    button(scope, { class: 'button button--small', 'data-testid': testId }, onClick, icon('play'), label, h('kbd', { 'aria-hidden': 'true' }, key));
  const a = clipButton(words.playA, 'Q', 'play-a', playA);
  const b = clipButton(words.playB, 'W', 'play-b', playB);
  const both = clipButton(words.playBoth, 'B', 'play-both', playBoth);
  const another = button(scope, { class: 'link-button', 'data-testid': 'compare-another' }, () => {
    place = (place + 1) % clips.length;
    update();
    playB();
  }, words.another);

  function choose(id: string): void {
    speaker = id;
    place = 0;
    clips = turn ? clipsOf(editor.get().annotation, id, turn) : [];
  }

  function update(): void {
    const { annotation } = editor.get();
    const { speakers } = annotation;
    const colorOf = (id: string | undefined): number => speakers.find((one) => one.id === id)?.color ?? 0;
    const own = speakers.findIndex(({ id }) => id === turn?.speaker);
    nameA.replaceChildren(swatch(colorOf(turn?.speaker)), speakers[own] ? speakerName(speakers[own], own) : '');
    chosen.update({ speakers, without: null, chosen: speaker, isDisabled: false, label: words.speaker });
    swatchB.replaceChildren(swatch(colorOf(speaker)));
    const clip = clips[place];
    setText(where, clip ? words.place(place + 1, clips.length, clip.startSeconds) : words.none);
    another.hidden = clips.length < 2;
    const isPlayable = editor.player.playable;
    a.disabled = !isPlayable || turn === null;
    b.disabled = both.disabled = !isPlayable || !clip;
  }

  return {
    element: h(
      'div',
      { class: 'review__compare', role: 'group', 'aria-label': words.heading },
      h('h3', { class: 'legend' }, words.heading),
      h(
        'div',
        { class: 'review__clips' },
        h('div', { class: 'review__clip' }, h('p', { class: 'fine' }, words.a), nameA, a),
        h('div', { class: 'review__clip' }, h('p', { class: 'fine' }, words.b), h('div', { class: 'review__clip-choice' }, swatchB, chosen.element), where, another, b),
      ),
      both,
    ),
    setTurn(next) {
      const isOther = next.id !== turn?.id;
      turn = next;
      const { speakers } = editor.get().annotation;
      if (isOther || !speakers.some(({ id }) => id === speaker)) {
        choose(next.speaker);
        // If the speaker has no other turn, compare with another speaker.
        for (const { id } of speakers) {
          if (clips.length > 0) break;
          choose(id);
        }
        if (clips.length === 0) choose(next.speaker);
      } else {
        const before = place;
        choose(speaker);
        place = Math.min(before, Math.max(0, clips.length - 1));
      }
      update();
    },
    playA,
    playB,
    playBoth,
    hear: (seconds, playing) => {
      sequence.hear(seconds, playing);
    },
  };
}
