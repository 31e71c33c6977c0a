const widget = document.querySelector('voxlane-diarizer');

widget.addEventListener('result', ({ detail }) => {
  document.querySelector('#turns').textContent = detail.turns
    .map(({ startSeconds, endSeconds, speaker }) => `${startSeconds.toFixed(2)} to ${endSeconds.toFixed(2)} s: ${speaker}`)
    .join('\n');
});
