import { h, mark } from '../../ui/dom';
import { recordingButton } from './button';
import type { WidgetContext, WidgetView } from './context';

/** The drop zone. */
export function emptyView({ scope, words, actions }: WidgetContext): WidgetView {
  const { empty } = words;
  const heading = h('h2', { class: 'title', tabindex: -1 }, empty.heading);
  const element = h(
    'div',
    { class: 'view dropzone', part: 'dropzone' },
    h('div', { class: 'dropzone__mark' }, mark()),
    h('slot', {}, heading, h('p', { class: 'lead' }, empty.lead)),
    recordingButton(scope, empty.choose, actions.open, true),
    h('p', { class: 'fine' }, empty.formats),
  );
  return { element, heading };
}
