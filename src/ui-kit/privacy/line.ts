import { h, setText } from '../dom';
import type { Scope } from '../scope';
import { inLanguage } from '../texts/language';
import { keepOffline, watchOutside } from './offline';
import { HUB_ORIGINS } from './policy';

/** Texts of the privacy line, which counts requests to other sites. */
const privacyText = inLanguage(
  {
    count: (n: number) => `Requests to other sites since this page was opened: ${n}`,
    allowed: 'Allowed',
    allowedOwn: 'This site itself.',
    allowedHub: (hosts: string) => `For a model that you choose to download: ${hosts}.`,
    allowedHow: 'The browser enforces this with a Content-Security-Policy.',
    sent: 'Sent',
    sentNone: 'Nothing.',
    sentTo: (origin: string, n: number) => `${origin}: ${n}`,
    refused: 'Blocked by the browser',
    refusedCount: (n: number) => (n === 0 ? 'No attempts.' : n === 1 ? '1 attempt.' : `${n} attempts.`),
    how: 'How requests are counted',
    howText:
      'From the browser’s own list of requests of this page. Requests of background workers are counted once the page is stored for offline use. Requests of browser extensions are not visible here.',
    offline: 'Without a network',
    kept: {
      unknown: 'Not checked yet.',
      never: 'Not supported in this browser or at this address.',
      keeping: 'Being prepared …',
      ready: 'Works: page, runtime and models are stored in this browser.',
      partly: 'Not yet: some files could not be stored. The page will try again at the next visit.',
    },
    update: 'A new version is available.',
    reload: 'Reload',
  },
  {
    de: {
      count: (n) => `Anfragen an andere Websites, seit diese Seite geöffnet wurde: ${n}`,
      allowed: 'Erlaubt',
      allowedOwn: 'Diese Website selbst.',
      allowedHub: (hosts) => `Für ein Modell, dessen Download Sie wählen: ${hosts}.`,
      allowedHow: 'Der Browser setzt das durch (Content-Security-Policy), was auch immer die Seite tut.',
      sent: 'Gesendet',
      sentNone: 'Nichts.',
      sentTo: (origin, n) => `${origin}: ${n}`,
      refused: 'Vom Browser verweigert',
      refusedCount: (n) => (n === 0 ? 'Es gab keinen Versuch.' : n === 1 ? '1 Versuch.' : `${n} Versuche.`),
      how: 'So wird gezählt',
      howText:
        'Nach der Liste, die der Browser selbst über die Anfragen dieser Seite führt. Anfragen ihrer Hintergrundprozesse zählen mit, sobald die Seite für den Offline-Betrieb gespeichert ist. Was Browser-Erweiterungen tun, ist hier nicht sichtbar.',
      offline: 'Ohne Netz',
      kept: {
        unknown: 'Noch nicht geprüft.',
        never: 'In diesem Browser oder unter dieser Adresse nicht möglich.',
        keeping: 'Wird vorbereitet …',
        ready: 'Funktioniert: Seite, Laufzeit und Modelle sind in diesem Browser gespeichert.',
        partly: 'Noch nicht: Einige Dateien ließen sich nicht speichern. Beim nächsten Besuch wird es erneut versucht.',
      },
      update: 'Eine neue Version ist da.',
      reload: 'Neu laden',
    },
  },
);

/**
 * Shows the number of requests to other sites. Expanded, it shows what is allowed, what was sent and whether the page
 * works offline. It registers the service worker, which counts the requests of workers.
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
      ...fact(privacyText.sent, sent),
      ...fact(
        privacyText.allowed,
        h('dd', {}, privacyText.allowedOwn, ' ', privacyText.allowedHub(HUB_ORIGINS.map(hostOf).join(', ')), ' ', privacyText.allowedHow),
      ),
      ...fact(privacyText.refused, refused),
      ...fact(privacyText.how, h('dd', {}, privacyText.howText)),
      ...fact(privacyText.offline, kept),
    ),
  );
  const reload = h('button', { type: 'button', class: 'button button--small' }, privacyText.reload);
  // The box is always present: screen readers often skip a live region that appears together with its text.
  const update = h('p', { class: 'privacy__update', hidden: true, 'data-testid': 'update' }, h('span', {}, privacyText.update), reload);

  watchOutside(scope, (requests) => {
    const total = [...requests.sent.values()].reduce((sum, n) => sum + n, 0);
    setText(count, privacyText.count(total));
    setText(sent, [...requests.sent].map(([origin, n]) => privacyText.sentTo(origin, n)).join(', ') || privacyText.sentNone);
    setText(refused, privacyText.refusedCount(requests.refused));
  });

  let take: (() => void) | null = null;
  scope.on(reload, 'click', () => take?.());
  keepOffline(scope, (state) => {
    setText(kept, privacyText.kept[state.kept]);
    kept.dataset.kept = state.kept;
    take = state.update;
    update.hidden = take === null;
  });
  return h('div', { class: 'privacy' }, details, h('div', { role: 'status' }, update));
}

const fact = (term: string, description: HTMLElement): [HTMLElement, HTMLElement] => [h('dt', {}, term), description];

const hostOf = (origin: string): string => origin.replace(/^https:\/\//, '');
