import { clock, count } from '../../ui-kit/format';
import { inLanguage } from '../../ui-kit/texts/language';

/** Words of the panel that puts speakers on a transcript. */
export const transcriptText = inLanguage(
  {
    label: 'Transcript',
    list: 'Transcript with speakers',
    choose: 'Choose a transcript',
    other: 'Another transcript',
    remove: 'Remove',
    empty: {
      heading: 'Who said which words',
      body: 'Voxlane hears who speaks, not what is said. Bring the text from a speech recognizer, and every word and every cue gets its speaker here.',
      formats: 'SRT, WebVTT, or the JSON or console output of Whisper, whisper.cpp, faster-whisper, whisperX or transformers. With times of words, cues are split where the speaker changes.',
      drop: 'Choose the file, or drop it anywhere on this page. It stays on this machine.',
    },
    reading: (file: string) => `Reading ${file} …`,
    failed: (file: string) => `${file} was not taken`,
    labels: { problem: 'Problem', expected: 'Expected', remedy: 'What to do' },
    onlyFirst: 'Several transcripts were given. Only the first one was taken.',
    summary: (cues: number, withoutSpeaker: number) =>
      withoutSpeaker > 0 ? `${count(cues)} cues, ${count(withoutSpeaker)} without a speaker` : `${count(cues)} cues`,
    nobody: 'Nobody',
    playFrom: (seconds: number, speaker: string) => `Play from ${clock(seconds, 1)}, ${speaker}`,
    save: 'Save with speakers',
    formats: { srt: 'SRT', vtt: 'WebVTT', csv: 'CSV', json: 'JSON' },
    saveAs: (format: string) => `Save the transcript with speakers as ${format}`,
  },
  {
    de: {
      label: 'Transkript',
      list: 'Transkript mit Sprechern',
      choose: 'Transkript wählen',
      other: 'Anderes Transkript',
      remove: 'Entfernen',
      empty: {
        heading: 'Wer welche Worte gesagt hat',
        body: 'Voxlane hört, wer spricht, nicht was gesagt wird. Bringen Sie den Text aus einer Spracherkennung mit; jedes Wort und jeder Untertitel bekommt hier seinen Sprecher.',
        formats: 'SRT, WebVTT oder das JSON oder die Konsolenausgabe von Whisper, whisper.cpp, faster-whisper, whisperX oder transformers. Sind die Zeiten der Wörter dabei, werden Untertitel dort geteilt, wo der Sprecher wechselt.',
        drop: 'Wählen Sie die Datei oder ziehen Sie sie irgendwo auf diese Seite. Sie bleibt auf diesem Rechner.',
      },
      reading: (file) => `${file} wird gelesen …`,
      failed: (file) => `${file} wurde nicht übernommen`,
      labels: { problem: 'Problem', expected: 'Erwartet', remedy: 'Abhilfe' },
      onlyFirst: 'Es waren mehrere Transkripte. Nur das erste wurde übernommen.',
      summary: (cues, withoutSpeaker) =>
        withoutSpeaker > 0 ? `${count(cues)} Untertitel, davon ${count(withoutSpeaker)} ohne Sprecher` : `${count(cues)} Untertitel`,
      nobody: 'Niemand',
      playFrom: (seconds, speaker) => `Ab ${clock(seconds, 1)} abspielen, ${speaker}`,
      save: 'Mit Sprechern speichern',
      formats: { srt: 'SRT', vtt: 'WebVTT', csv: 'CSV', json: 'JSON' },
      saveAs: (format) => `Transkript mit Sprechern als ${format} speichern`,
    },
  },
);
