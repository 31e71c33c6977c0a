import { diarize } from 'voxlane';

/** The address of the page has the options, as JSON. */
const options = JSON.parse(new URLSearchParams(location.search).get('options') ?? '{}');
const recording = await (await fetch('/sample.wav')).blob();
const { backend, turns, speakers } = await diarize(recording, options);

document.querySelector('#result').textContent = JSON.stringify({ backend, turns, numSpeakers: speakers.length });
