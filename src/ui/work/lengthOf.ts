/**
 * Length of a recording in seconds, as the browser's player tells it; null where it cannot play the file, or does not know
 * the length.
 */
export function lengthOf(recording: Blob): Promise<number | null> {
  const audio = new Audio();
  const url = URL.createObjectURL(recording);
  return new Promise<number | null>((resolve) => {
    audio.onloadedmetadata = () => {
      resolve(Number.isFinite(audio.duration) ? audio.duration : null);
    };
    audio.onerror = () => {
      resolve(null);
    };
    audio.preload = 'metadata';
    audio.src = url;
  }).finally(() => {
    audio.removeAttribute('src');
    URL.revokeObjectURL(url);
  });
}
