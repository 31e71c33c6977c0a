import type { ConfidenceKind } from '../../clustering/localSpeakers';
import type { AnnotationSpeaker, EditableTurn } from '../../editing/annotation';
import { button } from '../../ui-kit/controls';
import { h, icon, setText } from '../../ui-kit/dom';
import { speakerName } from '../../ui-kit/tracks/model';
import { swatch } from '../../ui-kit/tracks/palette';
import type { Editor } from '../editor/editor';
import { createSpeakerChoice, MAX_OPTIONS } from '../editor/speakerChoice';
import { nameOf, namesOf, speakerKeys } from '../editor/speakerNames';
import { reviewText as words } from './text';

type Certainty = 'high' | 'middling' | 'low' | 'unknown';

/**
 * Minimum confidence for the labels high and middling. They only affect the label: the bounds are not calibrated, and
 * the review order uses the numbers.
 */
const BOUNDS: Readonly<Record<ConfidenceKind, { readonly high: number; readonly middling: number }>> = {
  // A probability.
  posterior: { high: 0.95, middling: 0.75 },
  // A difference of cosine similarities.
  margin: { high: 0.3, middling: 0.1 },
};

/** The certainty of a speaker in one of four levels. */
export function certaintyOf(confidence: number | null | undefined, kind: ConfidenceKind | null): Certainty {
  if (confidence === null || confidence === undefined) return 'unknown';
  const { high, middling } = BOUNDS[kind ?? 'posterior'];
  if (confidence >= high) return 'high';
  return confidence >= middling ? 'middling' : 'low';
}

interface CardActions {
  readonly play: () => void;
  readonly confirm: () => void;
  readonly assign: (speaker: string) => void;
  readonly split: () => void;
  readonly remove: () => void;
  readonly next: () => void;
  readonly previous: () => void;
}

interface TurnCard {
  readonly element: HTMLElement;
  /** @param isReviewed whether the turn was confirmed or corrected before */
  readonly update: (turn: EditableTurn, isReviewed: boolean) => void;
  /** Sets the position of the player, at which the turn can be split. */
  readonly setPosition: (seconds: number) => void;
}

/** The card of one turn: speaker, time, certainty, and actions. */
export function createTurnCard(editor: Editor, actions: CardActions): TurnCard {
  const { scope } = editor;
  let turn: EditableTurn | null = null;
  const act = (label: string, key: string, testId: string, onClick: () => void, look = 'button button--small'): HTMLButtonElement =>
    button(scope, { class: look, 'data-testid': testId, 'aria-keyshortcuts': key }, onClick, label, h('kbd', { 'aria-hidden': 'true' }, key));

  const who = h('p', { class: 'review__who', 'data-testid': 'review-who' });
  const when = h('p', { class: 'review__when mono', 'data-testid': 'review-when' });
  const tag = h('span', { class: 'review__tag', hidden: true }, words.reviewed);
  const certainty = h('p', { class: 'review__certainty', 'data-testid': 'review-certainty' });
  const play = button(
    scope,
    { class: 'button', 'data-testid': 'review-play', 'aria-keyshortcuts': 'P' },
    actions.play,
    icon('play'),
    words.play,
    h('kbd', { 'aria-hidden': 'true' }, 'P'),
  );
  const confirm = act(words.confirm, 'C', 'review-confirm', actions.confirm, 'button button--primary');
  const splitLabel = h('span', {});
  const split = button(
    scope,
    { class: 'button button--small', 'data-testid': 'review-split', 'aria-keyshortcuts': 'S' },
    actions.split,
    splitLabel,
    h('kbd', { 'aria-hidden': 'true' }, 'S'),
  );
  const remove = act(words.delete, 'Del', 'review-delete', actions.remove);
  /** With many speakers, a search for those without a button. */
  const others = createSpeakerChoice(scope, { testId: 'review-other', placeholder: words.other, onChoose: actions.assign });
  const choices = h('div', { class: 'review__choices', role: 'group', 'aria-label': words.who });
  scope.on(choices, 'click', (event) => {
    const chosen = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-speaker]') : null;
    if (chosen?.dataset.speaker !== undefined) actions.assign(chosen.dataset.speaker);
  });
  const element = h(
    'div',
    { class: 'review__card' },
    // Announced as a whole when another turn is shown.
    h('div', { class: 'review__turn', 'aria-live': 'polite', 'aria-atomic': 'true' }, h('div', { class: 'review__name' }, who, tag), when, certainty),
    h('div', { class: 'button-row' }, play, confirm),
    h('p', { class: 'legend' }, words.who),
    choices,
    others.element,
    h('div', { class: 'button-row' }, split, remove),
    h('p', { class: 'fine' }, words.splitHint),
    h(
      'div',
      { class: 'button-row review__steps' },
      act(words.previous, '↑', 'review-previous', actions.previous),
      act(words.next, '↓', 'review-next', actions.next),
    ),
  );

  /** The speakers that the buttons were created for. They are only rebuilt if the speakers change, to preserve the focus. */
  let made: readonly AnnotationSpeaker[] | null = null;
  function updateChoices(own: string): void {
    const { annotation } = editor.get();
    const { speakers } = annotation;
    const isMany = speakers.length > MAX_OPTIONS;
    others.element.hidden = !isMany;
    if (isMany) others.update({ speakers, without: null, chosen: null, isDisabled: false, label: words.other });
    if (speakers !== made) {
      made = speakers;
      const focused = document.activeElement instanceof HTMLElement && choices.contains(document.activeElement) ? document.activeElement.dataset.speaker : undefined;
      const keys = speakerKeys(annotation);
      choices.replaceChildren(
        ...speakers.slice(0, isMany ? 9 : speakers.length).map((speaker, index) =>
          h(
            'button',
            { type: 'button', class: 'button button--small review__choice', 'data-speaker': speaker.id, 'data-testid': 'review-assign' },
            swatch(speaker.color),
            speakerName(speaker, index),
            keys.has(speaker.id) && h('kbd', { 'aria-hidden': 'true' }, String(keys.get(speaker.id))),
          ),
        ),
      );
      if (focused !== undefined) choices.querySelector<HTMLElement>(`[data-speaker="${CSS.escape(focused)}"]`)?.focus();
    }
    const names = namesOf(annotation);
    for (const choice of choices.querySelectorAll<HTMLElement>('[data-speaker]')) {
      const id = choice.dataset.speaker ?? '';
      const name = names.get(id) ?? id;
      choice.setAttribute('aria-label', id === own ? words.confirmAs(name) : words.assign(name));
      choice.classList.toggle('is-own', id === own);
    }
  }

  return {
    element,
    update(next, isReviewed) {
      turn = next;
      const { annotation } = editor.get();
      const color = annotation.speakers.find(({ id }) => id === next.speaker)?.color ?? 0;
      who.replaceChildren(swatch(color), nameOf(annotation, next.speaker));
      setText(when, words.when(next.startSeconds, next.endSeconds));
      tag.hidden = !isReviewed;
      setText(certainty, certaintyLine(next, annotation.confidenceKind ?? editor.outcome.result?.confidenceKind ?? null));
      play.disabled = !editor.player.playable;
      updateChoices(next.speaker);
    },
    setPosition(seconds) {
      const isInside = turn !== null && seconds > turn.startSeconds && seconds < turn.endSeconds;
      split.disabled = !isInside;
      setText(splitLabel, isInside ? words.splitAt(seconds) : words.split);
    },
  };
}

/** The certainty as a label, with the number and its meaning. */
function certaintyLine({ confidence }: EditableTurn, kind: 'posterior' | 'margin' | null): string {
  const word = words.certainty[certaintyOf(confidence, kind)];
  if (confidence === null || confidence === undefined) return `${word}: ${words.noValue}`;
  return `${word} · ${words[kind ?? 'plain'](confidence)}`;
}
