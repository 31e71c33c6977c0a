import type { Scope } from '../../util/scope';
import { h, setText } from '../dom';
import { keepOffline } from './offline';
import { watchOutside } from './outside';
import { HUB_ORIGINS } from './policy';
import { privacyText as text } from './text';

/**
 * How many requests left for other sites; opened, it says what is allowed, what went out and what works without a
 * network. Registers the service worker on its way, because the two belong together: it counts for the workers.
 */
export function createPrivacyLine(scope: Scope): HTMLElement {
  const count = h('summary', { class: 'privacy__count', 'data-testid': 'outside-count' });
  const sent = h('dd', { 'data-testid': 'outside-sent' });
  const refused = h('dd', { 'data-testid': 'outside-refused' });
  const kept = h('dd', { 'data-testid': 'offline-state' });
  const details = h(
    'details',
    { class: 'privacy__details' },
    count,
    h(
      'dl',
      { class: 'privacy__facts' },
      ...fact(text.sent, sent),
      ...fact(
        text.allowed,
        h('dd', {}, text.allowedOwn, ' ', text.allowedHub(HUB_ORIGINS.map(hostOf).join(', ')), ' ', text.allowedHow),
      ),
      ...fact(text.refused, refused),
      ...fact(text.how, h('dd', {}, text.howText)),
      ...fact(text.offline, kept),
    ),
  );
  const reload = h('button', { type: 'button', class: 'button button--small' }, text.reload);
  // A box that is always there: one that appears together with its text is often not read.
  const update = h('p', { class: 'privacy__update', hidden: true, 'data-testid': 'update' }, h('span', {}, text.update), reload);

  watchOutside(scope, (requests) => {
    const total = [...requests.sent.values()].reduce((sum, n) => sum + n, 0);
    setText(count, text.count(total));
    setText(sent, [...requests.sent].map(([origin, n]) => text.sentTo(origin, n)).join(', ') || text.sentNone);
    setText(refused, text.refusedCount(requests.refused));
  });

  let take: (() => void) | null = null;
  scope.on(reload, 'click', () => take?.());
  keepOffline(scope, (state) => {
    setText(kept, text.kept[state.kept]);
    kept.dataset.kept = state.kept;
    take = state.update;
    update.hidden = take === null;
  });
  return h('div', { class: 'privacy' }, details, h('div', { role: 'status' }, update));
}

const fact = (term: string, description: HTMLElement): [HTMLElement, HTMLElement] => [h('dt', {}, term), description];

const hostOf = (origin: string): string => origin.replace(/^https:\/\//, '');
