import type { EditableTurn } from '../../editing/annotation';
import { turnById } from '../../editing/turnLookup';
import { h, setText } from '../../ui-kit/dom';
import { nameOf, speakerOfKey } from '../editor/speakerNames';
import { rememberedLetters, shortcutOf } from '../editor/shortcuts';
import type { Panel, Editor } from '../editor/editor';
import { createBriefList } from './briefList';
import { createTurnCard } from './card';
import { createComparison } from './comparison';
import { followReview, nextTurn, previousTurn, startReview, visitTurn, type ReviewQueue } from './queue';
import { isHidden, whenShown } from '../result/tabs';
import { reviewText as words } from './text';

export interface ReviewPanel extends Panel {
  /** Sets the state of the player. Call it on every change. */
  readonly setPosition: (seconds: number, playing: boolean) => void;
}

/** The review panel. Shows one turn at a time, the least certain first. The shown turn is also the selected turn. */
export function createReviewPanel(editor: Editor): ReviewPanel {
  const { scope } = editor;
  let queue = startReview(editor.get().annotation);
  /** The annotation that the queue was created from. */
  let seen = editor.get().annotation;

  const left = h('p', { class: 'review__left', 'data-testid': 'review-left' });
  const bar = h('progress', { class: 'review__bar', max: 1 });
  const autoplay = h('input', { type: 'checkbox', 'data-testid': 'review-autoplay' });
  const blocked = h('p', { class: 'fine', hidden: true }, words.blocked);
  const comparison = createComparison(editor);
  const card = createTurnCard(editor, {
    play: playCurrent,
    confirm,
    assign,
    split,
    remove,
    next: () => {
      go(nextTurn(queue));
    },
    previous: () => {
      go(previousTurn(queue));
    },
  });
  const brief = createBriefList(editor);
  const back = h('button', { type: 'button', class: 'button', 'data-testid': 'review-back' }, words.done.back);
  scope.on(back, 'click', () => {
    go(previousTurn(queue));
    card.element.querySelector<HTMLElement>('button:enabled')?.focus();
  });
  const doneHeading = h('h3', { tabindex: -1 }, words.done.heading);
  const doneText = h('p', {});
  const done = h('div', { class: 'review__done', 'data-testid': 'review-done', hidden: true }, doneHeading, doneText, back);
  const work = h('div', { class: 'review__work' }, card.element, comparison.element);
  const element = h(
    'section',
    { class: 'review', 'aria-label': words.label, 'data-testid': 'review-panel' },
    h(
      'div',
      { class: 'review__head' },
      left,
      bar,
      h('p', { class: 'fine' }, words.leftHint),
      h('label', { class: 'review__autoplay' }, autoplay, words.autoplay),
    ),
    blocked,
    work,
    done,
    brief.element,
  );

  function currentTurn(): EditableTurn | null {
    return turnById(editor.get().annotation.turns, queue.current);
  }

  function playCurrent(): void {
    const turn = currentTurn();
    if (turn) editor.play(turn);
  }

  /** Shows another turn, selects it on the tracks, and plays it if autoplay is on. */
  function go(next: ReviewQueue): void {
    const isOther = next.current !== queue.current;
    queue = next;
    editor.select(queue.current);
    update();
    if (isOther && autoplay.checked) playCurrent();
  }

  /** Applies a correction of the shown turn. The queue updates itself. */
  function correct(apply: (turn: EditableTurn) => boolean, sentence: string): void {
    const turn = currentTurn();
    if (!turn || editor.get().proposal) return;
    const hadFocus = work.contains(document.activeElement);
    if (!apply(turn)) return;
    editor.say(queue.current === null ? words.said.all : sentence);
    if (queue.current !== turn.id && autoplay.checked) playCurrent();
    // The clicked button disappears with the last turn.
    if (hadFocus && queue.current === null) doneHeading.focus();
  }

  function confirm(): void {
    correct(({ id }) => {
      const isOpen = queue.order.includes(id);
      if (!isOpen) go(nextTurn(queue));
      return isOpen && editor.edit({ type: 'confirm-turn', turn: id });
    }, words.said.confirmed);
  }

  function assign(speaker: string): void {
    const name = nameOf(editor.get().annotation, speaker);
    correct(({ id }) => editor.edit({ type: 'assign-turn', turn: id, speaker }), words.said.assigned(name));
  }

  function split(): void {
    correct(({ id }) => editor.edit({ type: 'split-turn', turn: id, atSeconds: editor.player.position }), words.said.split);
  }

  function remove(): void {
    correct(({ id }) => editor.edit({ type: 'delete-turn', turn: id }), words.said.deleted);
  }

  function follow(): void {
    const { annotation } = editor.get();
    if (annotation === seen) return;
    seen = annotation;
    queue = followReview(queue, annotation);
    editor.select(queue.current);
    brief.update();
  }

  function update(): void {
    const { annotation, proposal } = editor.get();
    const total = annotation.turns.length;
    const open = queue.order.length;
    const turn = currentTurn();
    setText(left, words.left(open, total));
    bar.value = total > 0 ? (total - open) / total : 1;
    bar.setAttribute('aria-label', words.progress(total - open, total));
    blocked.hidden = proposal === null;
    work.hidden = turn === null || proposal !== null;
    done.hidden = turn !== null || proposal !== null;
    setText(doneText, total > 0 ? words.done.body(total) : words.done.empty);
    back.hidden = queue.trail.length === 0;
    if (!turn) return;
    card.update(turn, !queue.order.includes(turn.id));
    card.setPosition(editor.player.position);
    comparison.setTurn(turn);
  }

  editor.onChange(scope, (next, previous) => {
    // A hidden panel is updated when it is shown.
    if (isHidden(element)) return;
    const isElsewhere = next.selected !== previous.selected && next.selected !== null && next.selected !== queue.current;
    follow();
    if (isElsewhere && next.annotation === previous.annotation) queue = visitTurn(queue, next.selected);
    if (next.annotation !== previous.annotation || next.proposal !== previous.proposal || isElsewhere) update();
  });
  whenShown(scope, element, () => {
    follow();
    editor.select(queue.current);
    update();
  });
  scope.on(element, 'keydown', (event) => {
    if (event.defaultPrevented || currentTurn() === null) return;
    if (event.target instanceof Element && event.target.matches('select')) return;
    if (actOn(event)) event.preventDefault();
  });

  /** The shortcuts for the selected turn, plus those of this panel. */
  function actOn(event: KeyboardEvent): boolean {
    const letters = rememberedLetters();
    const actions: Readonly<Partial<Record<string, () => void>>> = {
      'next-turn': () => {
        go(nextTurn(queue));
      },
      'previous-turn': () => {
        go(previousTurn(queue));
      },
      confirm,
      split,
      delete: remove,
      assign: () => {
        const speaker = speakerOfKey(editor.get().annotation, Number(event.key));
        if (speaker !== null) assign(speaker);
      },
    };
    const own: Readonly<Partial<Record<string, () => void>>> = {
      p: playCurrent,
      q: comparison.playA,
      w: comparison.playB,
      b: comparison.playBoth,
    };
    const shortcut = shortcutOf(event, letters);
    const isPlain = letters && !event.ctrlKey && !event.metaKey && !event.altKey;
    const action = (shortcut && actions[shortcut]) ?? (isPlain ? own[event.key.toLowerCase()] : undefined);
    action?.();
    return action !== undefined;
  }

  brief.update();
  update();
  return {
    element,
    setPosition(seconds, playing) {
      comparison.hear(seconds, playing);
      if (!isHidden(element)) card.setPosition(seconds);
    },
  };
}
