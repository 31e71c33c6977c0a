/** A time as text: seconds, with or without minutes and hours, and a point or a comma before the fraction. */
export const CLOCK = String.raw`(?:(?:\d+:)?\d{1,2}:)?\d+(?:[.,]\d+)?`;

/**
 * The seconds of a time as text, to the millisecond.
 *
 * @param time has the form of {@link CLOCK}
 */
export function secondsOfClock(time: string): number {
  const seconds = time.replace(',', '.').split(':').reduce((sum, part) => 60 * sum + Number(part), 0);
  return Math.round(seconds * 1000) / 1000;
}
