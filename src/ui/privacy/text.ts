import { inLanguage } from '../texts/language';

/** Words of the line that says what left this machine. */
export const privacyText = inLanguage(
  {
    count: (n: number) => `Requests to other sites since this page was opened: ${n}`,
    allowed: 'Allowed',
    allowedOwn: 'This site itself.',
    allowedHub: (hosts: string) => `For a model that you choose to download: ${hosts}.`,
    allowedHow: 'The browser enforces this (Content-Security-Policy), whatever the page does.',
    sent: 'Sent',
    sentNone: 'Nothing.',
    sentTo: (origin: string, n: number) => `${origin}: ${n}`,
    refused: 'Refused by the browser',
    refusedCount: (n: number) => (n === 0 ? 'Nothing was tried.' : n === 1 ? '1 attempt.' : `${n} attempts.`),
    how: 'How it is counted',
    howText:
      'From the browser’s own list of what this page asked for. Requests of its background workers are counted once the page is kept for offline use. What browser extensions do is not visible here.',
    offline: 'Without a network',
    kept: {
      unknown: 'Not checked yet.',
      never: 'Not possible in this browser, or at this address.',
      keeping: 'Being prepared …',
      ready: 'Works: page, runtime and models are kept in this browser.',
      partly: 'Not yet: some files could not be kept. This is tried again at the next visit.',
    },
    update: 'A new version is here.',
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
