import { VoxlaneError } from '../../util/errors';
import { loadPart } from '../../util/loadPart';
import { h, icon, setText } from '../../ui/dom';
import { download } from '../../ui/download';
import { createMenu } from '../../ui/studio/menu';
import type { SpeakerNames, WidgetExport } from '../exports';
import type { Outcome } from '../state/phase';
import type { WidgetContext } from './context';

const NAMES: Readonly<Record<WidgetExport, string>> = {
  rttm: 'RTTM',
  json: 'JSON',
  srt: 'SRT',
  vtt: 'WebVTT',
  csv: 'CSV',
  audacity: 'Audacity',
  textgrid: 'TextGrid',
  eaf: 'ELAN',
};

/** Downloads of the result, one button a format. The formats are loaded when one is chosen. */
export function createExportMenu({ scope, words, announce }: WidgetContext, outcome: Outcome, names: () => SpeakerNames): HTMLElement {
  const { exporting } = words;
  const problem = h('p', { class: 'fine', role: 'alert', hidden: true });
  const save = async (format: WidgetExport): Promise<void> => {
    problem.hidden = true;
    try {
      const { exportFile } = await loadPart(() => import('../exports'));
      const file = exportFile(format, outcome, names(), new Date());
      download(file.name, file.type, file.content);
      announce(exporting.saved(file.name));
    } catch (thrown) {
      // `loadPart` and the exporters throw sentences of ours; anything else is a fault of ours.
      if (!(thrown instanceof VoxlaneError)) console.error(thrown);
      setText(problem, thrown instanceof VoxlaneError ? thrown.message : exporting.failed);
      problem.hidden = false;
      menu.open();
    }
  };
  const buttons = (Object.keys(NAMES) as WidgetExport[]).map((format) => {
    const button = h(
      'button',
      { type: 'button', class: 'exports__format', 'data-testid': `download-${format}` },
      h('span', {}, NAMES[format]),
      h('span', { class: 'exports__what' }, exporting.what[format]),
    );
    scope.on(button, 'click', () => {
      menu.close();
      void save(format);
    });
    return button;
  });
  const content = h('div', { class: 'exports', part: 'menu' }, h('p', { class: 'legend' }, exporting.heading), ...buttons, problem);
  const menu = createMenu(scope, [icon('download'), exporting.button], content, 'export');
  menu.element.querySelector('summary')?.setAttribute('part', 'button');
  return menu.element;
}
