import { inLanguage } from '../texts/language';

export const waveText = inLanguage(
  {
    reading: 'Reading the waveform …',
    none: (noDecoder: boolean): string =>
      noDecoder ? 'No waveform: this browser decodes this file only as a whole.' : 'Part of the waveform is missing: the rest of the file could not be read.',
    label: 'Waveform',
    overview: 'Visible part',
    overviewAt: (start: string, end: string) => `${start} to ${end}`,
  },
  {
    de: {
      reading: 'Wellenform wird gelesen …',
      none: (noDecoder: boolean) =>
        noDecoder ? 'Keine Wellenform: Dieser Browser dekodiert diese Datei nur als Ganzes.' : 'Ein Teil der Wellenform fehlt: Der Rest der Datei ist nicht lesbar.',
      label: 'Wellenform',
      overview: 'Sichtbarer Ausschnitt',
      overviewAt: (start: string, end: string) => `${start} bis ${end}`,
    },
  },
);
