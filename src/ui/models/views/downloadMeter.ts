import type { ModelDownload } from '../../../pipeline/types';
import { h, setAttribute, setText } from '../../dom';
import { text } from '../../text';

/** How far a download is, in bytes and percent. */
export function downloadMeter(): { readonly element: HTMLElement; readonly update: (download: ModelDownload) => void } {
  const fill = h('div', { class: 'bar__fill' });
  const bar = h(
    'div',
    {
      class: 'bar',
      role: 'progressbar',
      'aria-label': text.models.downloading,
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'data-testid': 'download-progress',
    },
    fill,
  );
  const amount = h('p', { class: 'download__amount mono' });
  return {
    element: h('div', { class: 'download' }, bar, amount),
    update({ receivedBytes, totalBytes }) {
      const fraction = totalBytes > 0 ? receivedBytes / totalBytes : 0;
      const words = text.models.received(receivedBytes, totalBytes);
      fill.style.transform = `scaleX(${fraction})`;
      setAttribute(bar, 'aria-valuenow', Math.round(fraction * 100));
      setAttribute(bar, 'aria-valuetext', words);
      setText(amount, words);
    },
  };
}
