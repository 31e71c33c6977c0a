import { sentenceOf } from '../failure';
import { h, icon } from '../dom';
import { download } from '../download';
import { isVast } from '../work/limits';
import { exportInWorker } from './exportInWorker';
import { EXPORT_FORMATS, exportFile, type ExportFormat } from './exports';
import { createMenu, type Menu } from './menu';
import type { Studio } from './studio';
import { studioText } from './text';

const words = studioText.exporting;

/** Downloads of the corrected result, one button a format. */
export function createExportMenu(studio: Studio): Menu {
  const { scope } = studio;
  const mode = h('span', { class: 'fine' });
  const showMode = (): void => {
    mode.textContent = words.mode[studio.get().mode];
  };
  const buttons = EXPORT_FORMATS.map((format) => {
    const [name = format, what = ''] = words.formats[format];
    const button = h('button', { type: 'button', 'data-testid': `download-${format}` }, h('span', {}, name), h('span', { class: 'exports__what' }, what));
    scope.on(button, 'click', () => {
      void save(studio, format);
      menu.close();
    });
    return button;
  });
  const content = h('div', { class: 'exports' }, h('p', { class: 'legend' }, words.heading), mode, ...buttons);
  const menu = createMenu(scope, [icon('download'), words.button], content, 'export');
  studio.onChange(scope, showMode);
  showMode();
  return menu;
}

async function save(studio: Studio, format: ExportFormat): Promise<void> {
  const { annotation, mode, canUndo } = studio.get();
  const request = { outcome: studio.outcome, annotation, mode, isCorrected: canUndo, date: new Date(), userAgent: navigator.userAgent };
  try {
    const { name, type, content } = isVast(annotation) ? await exportInWorker(format, request) : exportFile(format, request);
    download(name, type, content);
    studio.say(words.saved(name));
  } catch (thrown) {
    studio.say(words.failed(sentenceOf(thrown)));
  }
}
