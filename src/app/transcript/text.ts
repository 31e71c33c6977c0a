import { clock, count } from '../../ui-kit/format';
import { inLanguage } from '../../ui-kit/texts/language';

/** Texts of the transcript panel. */
export const transcriptText = inLanguage(
  {
    label: 'Transcript',
    list: 'Transcript with speakers',
    choose: 'Choose a transcript',
    other: 'Choose another transcript',
    remove: 'Remove',
    empty: {
      heading: 'Who said what',
      body: 'Voxlane detects who speaks, not what is said. Add a transcript from a speech recognizer to assign a speaker to every word and cue.',
      formats: 'SRT, WebVTT, or the JSON or console output of Whisper, whisper.cpp, faster-whisper, whisperX, or transformers. If the transcript has word timestamps, cues are split where the speaker changes.',
      drop: 'Choose a file or drop it anywhere on this page. It stays on this machine.',
    },
    reading: (file: string) => `Reading ${file}…`,
    failed: (file: string) => `${file} could not be imported`,
    labels: { problem: 'Problem', expected: 'Expected', remedy: 'What to do' },
    onlyFirst: 'Several transcripts were added. Only the first one was imported.',
    summary: (cues: number, withoutSpeaker: number) =>
      withoutSpeaker > 0 ? `${count(cues)} cues, ${count(withoutSpeaker)} without a speaker` : `${count(cues)} cues`,
    nobody: 'No speaker',
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
