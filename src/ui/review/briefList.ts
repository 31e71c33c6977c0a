import type { AnnotationSpeaker } from '../../editing/annotation';
import { briefSpeakers, representativeTurns, speakerShares } from '../../editing/review';
import type { Scope } from '../../util/scope';
import { button } from '../compare/controls';
import { h, icon } from '../dom';
import { swatch } from '../lanes/label';
import { speakerName } from '../lanes/model';
import { nameOf } from '../studio/names';
import type { Studio } from '../studio/studio';
import { clipOf } from './clips';
import { reviewText } from './text';

const words = reviewText.brief;

export interface BriefList {
  readonly element: HTMLElement;
  readonly update: () => void;
}

/** Speakers who say so little that they may be a mistake: heard, merged or kept, as the person decides. */
export function createBriefList(studio: Studio): BriefList {
  const { scope } = studio;
  /** Those that the person has said are right. */
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

  function update(): void {
    const { annotation } = studio.get();
    const brief = briefSpeakers(annotation).filter(({ id }) => !kept.has(id));
    const seconds = new Map(speakerShares(annotation).map(({ speaker, speechSeconds }) => [speaker.id, speechSeconds]));
    const hadFocus = list.contains(document.activeElement);
    rowScope.dispose();
    rowScope = scope.child();
    list.replaceChildren(...brief.map((speaker) => row(rowScope, speaker, seconds.get(speaker.id) ?? 0)));
    element.hidden = brief.length === 0;
    if (!hadFocus) return;
    // The row that was acted on is gone: the next one is where the person goes on.
    const next = list.querySelector<HTMLElement>('button') ?? (element.hidden ? null : heading);
    (next ?? element.parentElement?.querySelector<HTMLElement>('button:enabled'))?.focus();
  }

  function row(owner: Scope, speaker: AnnotationSpeaker, speechSeconds: number): HTMLElement {
    const { annotation } = studio.get();
    const { id } = speaker;
    const name = nameOf(annotation, id);
    const hear = button(owner, { class: 'icon-button', 'aria-label': words.hear(name), title: words.hear(name), 'data-testid': 'brief-hear' }, () => {
      const [best] = representativeTurns(studio.get().annotation, id);
      if (best) studio.play(clipOf(best));
    }, icon('play'));
    const into = h(
      'select',
      { class: 'field', 'aria-label': words.into(name), 'data-testid': 'brief-into' },
      h('option', { value: '' }, words.choose),
      ...annotation.speakers.flatMap((other, index) => (other.id === id ? [] : [h('option', { value: other.id }, speakerName(other, index))])),
    );
    // Not on the choice itself: arrow keys pass through every entry of a closed list.
    const merge = button(owner, { class: 'button button--small', 'data-testid': 'brief-merge' }, () => {
      const sentence = words.merged(name, nameOf(studio.get().annotation, into.value));
      if (studio.edit({ type: 'merge-speakers', from: id, into: into.value })) studio.say(sentence);
    }, words.merge);
    merge.disabled = true;
    owner.on(into, 'change', () => {
      merge.disabled = into.value === '';
      const label = merge.disabled ? words.merge : words.mergeLabel(name, nameOf(studio.get().annotation, into.value));
      merge.setAttribute('aria-label', label);
    });
    const keep = button(owner, { class: 'button button--small', 'aria-label': words.keepLabel(name), 'data-testid': 'brief-keep' }, () => {
      kept.add(id);
      studio.say(words.kept(name));
      update();
    }, words.keep);
    return h(
      'li',
      { class: 'review__brief-row', 'data-testid': 'brief-row' },
      h('span', { class: 'review__brief-name' }, swatch(speaker.colour), name, h('span', { class: 'fine' }, words.says(speechSeconds))),
      hear,
      into,
      merge,
      keep,
    );
  }
  return { element, update };
}
