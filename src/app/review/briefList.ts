import type { AnnotationSpeaker } from '../../editing/annotation';
import { briefSpeakers, representativeTurns, speakerShares } from '../../editing/review';
import type { Scope } from '../../ui-kit/scope';
import { button } from '../../ui-kit/controls';
import { h, icon } from '../../ui-kit/dom';
import { swatch } from '../../ui-kit/tracks/palette';
import { createRowWindow } from '../editor/rowWindow';
import { nameOf } from '../editor/speakerNames';
import { createSpeakerChoice } from '../editor/speakerChoice';
import type { Editor } from '../editor/editor';
import { clipOf } from './queue';
import { reviewText } from './text';

const words = reviewText.brief;

/** Above this number of rows, the list scrolls and only contains the rows near the visible ones. */
const MAX_WHOLE_ROWS = 30;
const LIKELY_ROW_PIXELS = 90;

interface BriefList {
  readonly element: HTMLElement;
  readonly update: () => void;
}

/** The list of speakers with so little speech that they may be errors. The user can play, merge or keep each. */
export function createBriefList(editor: Editor): BriefList {
  const { scope } = editor;
  /** Speakers that the user chose to keep. */
  const kept = new Set<string>();
  const heading = h('h3', { class: 'legend', tabindex: -1 }, words.heading);
  const list = h('ul', { class: 'review__brief-list' });
  const element = h(
    'section',
    { class: 'review__brief', 'aria-label': words.heading, 'data-testid': 'brief-speakers', hidden: true },
    heading,
    h('p', { class: 'fine' }, words.lead),
    list,
  );
  let rowScope = scope.child();
  let brief: readonly AnnotationSpeaker[] = [];
  let seconds: ReadonlyMap<string, number> = new Map();
  let rows = new Map<number, HTMLElement>();
  const rowWindow = createRowWindow(scope, {
    list,
    numRows: () => brief.length,
    rowOf: (index) => {
      let made = rows.get(index);
      if (!made) rows.set(index, (made = row(rowScope, brief[index]!, seconds.get(brief[index]!.id) ?? 0)));
      return made;
    },
    maxWhole: MAX_WHOLE_ROWS,
    likelyHeight: LIKELY_ROW_PIXELS,
    keptRow: () => [...rows].find(([, made]) => made.contains(document.activeElement))?.[0] ?? null,
  });

  function update(): void {
    const { annotation } = editor.get();
    brief = briefSpeakers(annotation).filter(({ id }) => !kept.has(id));
    seconds = new Map(speakerShares(annotation).map(({ speaker, speechSeconds }) => [speaker.id, speechSeconds]));
    const hadFocus = list.contains(document.activeElement);
    rowScope.dispose();
    rowScope = scope.child();
    rows = new Map();
    rowWindow.update();
    element.hidden = brief.length === 0;
    if (!hadFocus) return;
    // The row is gone: move the focus to the next one.
    const next = list.querySelector<HTMLElement>('button') ?? (element.hidden ? null : heading);
    (next ?? element.parentElement?.querySelector<HTMLElement>('button:enabled'))?.focus();
  }

  function row(owner: Scope, speaker: AnnotationSpeaker, speechSeconds: number): HTMLElement {
    const { annotation } = editor.get();
    const { id } = speaker;
    const name = nameOf(annotation, id);
    const hear = button(owner, { class: 'icon-button', 'aria-label': words.hear(name), title: words.hear(name), 'data-testid': 'brief-hear' }, () => {
      const [best] = representativeTurns(editor.get().annotation, id);
      if (best) editor.play(clipOf(best));
    }, icon('play'));
    let chosen: string | null = null;
    const into = createSpeakerChoice(owner, {
      testId: 'brief-into',
      placeholder: words.choose,
      isEachStep: true,
      onChoose: (speakerId) => {
        chosen = speakerId;
        showChosen();
      },
    });
    const showChosen = (): void => {
      into.update({ speakers: annotation.speakers, without: id, chosen, isDisabled: false, label: words.into(name) });
      merge.disabled = chosen === null;
      if (chosen !== null) merge.setAttribute('aria-label', words.mergeLabel(name, nameOf(editor.get().annotation, chosen)));
    };
    // A button is needed, because arrow keys change a closed select on every step.
    const merge = button(owner, { class: 'button button--small', 'data-testid': 'brief-merge' }, () => {
      if (chosen === null) return;
      const sentence = words.merged(name, nameOf(editor.get().annotation, chosen));
      if (editor.edit({ type: 'merge-speakers', from: id, into: chosen })) editor.say(sentence);
    }, words.merge);
    showChosen();
    const keep = button(owner, { class: 'button button--small', 'aria-label': words.keepLabel(name), 'data-testid': 'brief-keep' }, () => {
      kept.add(id);
      editor.say(words.kept(name));
      update();
    }, words.keep);
    return h(
      'li',
      { class: 'review__brief-row', 'data-testid': 'brief-row' },
      h('span', { class: 'review__brief-name' }, swatch(speaker.color), name, h('span', { class: 'fine' }, words.says(speechSeconds))),
      hear,
      into.element,
      merge,
      keep,
    );
  }
  return { element, update };
}
