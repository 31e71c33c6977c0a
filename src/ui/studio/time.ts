/**
 * Seconds of a time as people write it: `83.5`, `1:23.5`, `1:02:03`, with a comma as well as with a point; null where it
 * is none.
 */
export function parseTime(text: string): number | null {
  const parts = text.trim().replace(',', '.').split(':');
  if (parts.length > 3) return null;
  const last = parts.length - 1;
  let seconds = 0;
  for (const [index, part] of parts.entries()) {
    // Only the seconds have a fraction, and only the first part may exceed 59.
    const form = index === last ? /^\d+(\.\d*)?$/ : /^\d+$/;
    if (!form.test(part) || (index > 0 && Number(part) >= 60)) return null;
    seconds = seconds * 60 + Number(part);
  }
  return seconds;
}
