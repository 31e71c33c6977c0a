import { diarize } from 'voxlane';

const recording = await (await fetch('sample.wav')).blob();
const { turns } = await diarize(recording);

document.querySelector('#turns').textContent = turns
  .map(({ startSeconds, endSeconds, speaker }) => `${startSeconds.toFixed(2)} to ${endSeconds.toFixed(2)} s: ${speaker}`)
  .join('\n');
