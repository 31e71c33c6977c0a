import { language, inLanguage } from '../texts/language';

const decimal = (value: number): string => value.toLocaleString(language === 'de' ? 'de-DE' : 'en-GB');

export const lanesText = inLanguage(
  {
    speed: 'Playback speed',
    speedOf: (rate: number) => `${decimal(rate)}×`,
    loop: 'Loop',
    loopHint: 'Play the selected turn over and over',
    marks: { missed: 'Missed', 'false-alarm': 'False alarm', confusion: 'Wrong speaker' },
  },
  {
    de: {
      speed: 'Wiedergabetempo',
      speedOf: (rate: number) => `${decimal(rate)}×`,
      loop: 'Schleife',
      loopHint: 'Den ausgewählten Beitrag wiederholt abspielen',
      marks: { missed: 'Übersehen', 'false-alarm': 'Fehlalarm', confusion: 'Verwechselt' },
    },
  },
);
