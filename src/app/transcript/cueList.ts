import type { SpokenCue } from '../../transcript/spokenTranscript';
import type { TranscriptCue } from '../../transcript/transcript';
import { h } from '../../ui-kit/dom';
import { clock, count } from '../../ui-kit/format';
import { hasModifier, listMove } from '../../ui-kit/listKeys';
import type { Scope } from '../../ui-kit/scope';
import { inLanguage } from '../../ui-kit/texts/language';
import { colorVariable, swatch } from '../../ui-kit/tracks/palette';

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

/** Number of cues per block. Blocks are added and removed as a whole. */
export const BLOCK_CUES = 40;

/** A range of cues that is either rendered as a whole or replaced with empty space of the same height. */
interface CueBlock {
  readonly from: number;
  /** Index after the last cue. */
  readonly to: number;
}

export function blocksOf(numCues: number): CueBlock[] {
  return Array.from({ length: Math.ceil(numCues / BLOCK_CUES) }, (_, index) => ({
    from: index * BLOCK_CUES,
    to: Math.min(numCues, (index + 1) * BLOCK_CUES),
  }));
}

export const blockOf = (cue: number): number => Math.floor(cue / BLOCK_CUES);

/** Pixels of a cue in addition to its lines of text, and pixels of a line; approximately as in the style sheet. */
const HEAD_PIXELS = 40;
const LINE_PIXELS = 22;
const CHARACTER_PIXELS = 7.5;

/**
 * Estimates the height of a block for the scroll bar before the block is rendered. The error is at most a few lines and is
 * corrected when the block is rendered.
 *
 * @param widthPixels width of the text
 */
export function estimatedHeight(cues: readonly TranscriptCue[], { from, to }: CueBlock, widthPixels: number): number {
  const charactersPerLine = Math.max(10, widthPixels / CHARACTER_PIXELS);
  return cues
    .slice(from, to)
    .reduce((sum, { text }) => sum + HEAD_PIXELS + LINE_PIXELS * Math.max(1, Math.ceil(text.length / charactersPerLine)), 0);
}

/** Cues of several speakers can overlap, but a cue that is this many positions back has ended. */
const OVERLAPPING_CUES = 16;

/**
 * The index of the cue at a time; of several, the one that started last. Null in a pause.
 *
 * @param cues sorted by start
 */
export function cueAt(cues: readonly TranscriptCue[], seconds: number): number | null {
  let low = 0;
  let high = cues.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cues[middle]?.startSeconds ?? Infinity) <= seconds) low = middle + 1;
    else high = middle;
  }
  for (let index = low - 1; index >= Math.max(0, low - OVERLAPPING_CUES); index -= 1) {
    if ((cues[index]?.endSeconds ?? 0) > seconds) return index;
  }
  return null;
}

interface CueSpeaker {
  readonly name: string;
  /** Index into the speaker colors. */
  readonly color: number;
}

interface CueList {
  readonly element: HTMLElement;
  /** @param speakers by the id used in the cues */
  readonly setCues: (cues: readonly SpokenCue[], speakers: ReadonlyMap<string, CueSpeaker>) => void;
  /** Marks the cue at this time and keeps it in view during playback. */
  readonly setPosition: (seconds: number, playing: boolean) => void;
}

/** Blocks within this distance of the visible area are rendered. */
const MARGIN_PIXELS = 800;
/** Width taken up by times, speakers, and spacing. */
const BESIDE_TEXT_PIXELS = 40;
/** Assumed text width while the list is hidden and has no width. */
const USUAL_TEXT_PIXELS = 600;
const PAGE_CUES = 10;

/**
 * The cues of a transcript. Only the blocks near the visible ones are rendered, because long recordings have ten
 * thousand cues; the others are empty space of about the same height. One cue is in the tab order, arrow keys move from
 * there.
 */
export function createCueList(scope: Scope, onPlay: (seconds: number) => void): CueList {
  const element = h('div', { class: 'cues', role: 'list', 'aria-label': transcriptText.list, 'data-testid': 'cues' });
  let cues: readonly SpokenCue[] = [];
  let speakers: ReadonlyMap<string, CueSpeaker> = new Map();
  let blocks: { readonly range: CueBlock; readonly element: HTMLElement; isMade: boolean }[] = [];
  /** The cue in the tab order. Its block is always rendered. */
  let active = 0;
  let current: number | null = null;

  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const index = blocks.findIndex((block) => block.element === target);
        if (isIntersecting) make(index);
        else drop(index);
      }
    },
    { root: element, rootMargin: `${MARGIN_PIXELS}px 0px` },
  );
  scope.add(() => {
    observer.disconnect();
  });

  function make(index: number): void {
    const block = blocks[index];
    if (!block || block.isMade) return;
    block.isMade = true;
    block.element.style.height = '';
    block.element.append(...cues.slice(block.range.from, block.range.to).map((cue, offset) => cueElement(cue, block.range.from + offset)));
  }

  function drop(index: number): void {
    const block = blocks[index];
    if (!block?.isMade || index === blockOf(active)) return;
    block.element.style.height = `${block.element.offsetHeight}px`;
    block.element.replaceChildren();
    block.isMade = false;
  }

  function cueElement(cue: SpokenCue, index: number): HTMLElement {
    const speaker = cue.speaker === null ? null : (speakers.get(cue.speaker) ?? { name: cue.speaker, color: 0 });
    const name = speaker?.name ?? transcriptText.nobody;
    return h(
      'div',
      {
        class: 'cue',
        role: 'listitem',
        'aria-setsize': cues.length,
        'aria-posinset': index + 1,
        'aria-current': index === current ? 'true' : null,
        'data-index': index,
        'data-testid': 'cue',
        style: speaker ? `--color:var(${colorVariable(speaker.color)})` : null,
      },
      h(
        'button',
        { type: 'button', class: 'cue__time', tabindex: index === active ? 0 : -1, 'aria-label': transcriptText.playFrom(cue.startSeconds, name) },
        clock(cue.startSeconds, 1),
      ),
      h('span', { class: speaker ? 'cue__speaker' : 'cue__speaker cue__speaker--nobody' }, speaker && swatch(speaker.color), name),
      h('p', { class: 'cue__text' }, ...textOf(cue)),
    );
  }

  function elementOf(index: number): HTMLElement | null {
    return element.querySelector<HTMLElement>(`.cue[data-index="${index}"]`);
  }

  /** Scrolls only this list and leaves the scroll position of the page alone. */
  function reveal(index: number): void {
    make(blockOf(index));
    const cue = elementOf(index);
    if (!cue) return;
    const top = cue.getBoundingClientRect().top - element.getBoundingClientRect().top;
    if (top < 0) element.scrollTop += top;
    else if (top + cue.offsetHeight > element.clientHeight) element.scrollTop += top + cue.offsetHeight - element.clientHeight;
  }

  function setActive(index: number): void {
    elementOf(active)?.querySelector('button')?.setAttribute('tabindex', '-1');
    active = Math.min(Math.max(0, index), Math.max(0, cues.length - 1));
    make(blockOf(active));
    elementOf(active)?.querySelector('button')?.setAttribute('tabindex', '0');
  }

  const indexOf = (target: EventTarget | null): number | null => {
    const cue = target instanceof Element ? target.closest<HTMLElement>('.cue') : null;
    return cue ? Number(cue.dataset.index) : null;
  };
  scope.on(element, 'click', (event) => {
    const index = indexOf(event.target);
    const cue = index === null ? undefined : cues[index];
    // The user selects text to copy it, not to play it.
    if (index === null || !cue || getSelection()?.isCollapsed === false) return;
    setActive(index);
    const word = event.target instanceof HTMLElement ? cue.words[Number(event.target.dataset.word ?? NaN)] : undefined;
    onPlay((word ?? cue).startSeconds);
  });
  scope.on(element, 'keydown', (event) => {
    const index = indexOf(event.target);
    const next = index === null || hasModifier(event) ? null : listMove(event.key, index, cues.length, PAGE_CUES);
    if (next === null) return;
    event.preventDefault();
    setActive(next);
    reveal(active);
    elementOf(active)?.querySelector('button')?.focus({ preventScroll: true });
  });

  return {
    element,
    setCues(nextCues, nextSpeakers) {
      const isSameText = nextCues.length === cues.length && nextCues[0]?.text === cues[0]?.text;
      const hadFocus = element.contains(document.activeElement);
      const top = isSameText ? element.scrollTop : 0;
      cues = nextCues;
      speakers = nextSpeakers;
      current = null;
      observer.disconnect();
      const width = Math.max(0, element.clientWidth - BESIDE_TEXT_PIXELS) || USUAL_TEXT_PIXELS;
      blocks = blocksOf(cues.length).map((range) => ({
        range,
        isMade: false,
        // For layout only: the items belong to the list.
        element: h('div', { role: 'presentation', style: `height:${estimatedHeight(cues, range, width)}px` }),
      }));
      element.replaceChildren(...blocks.map((block) => block.element));
      setActive(isSameText ? active : 0);
      element.scrollTop = top;
      if (hadFocus) elementOf(active)?.querySelector('button')?.focus({ preventScroll: true });
      for (const block of blocks) observer.observe(block.element);
    },
    setPosition(seconds, playing) {
      const next = cueAt(cues, seconds);
      if (next === current) return;
      if (current !== null) elementOf(current)?.removeAttribute('aria-current');
      current = next;
      if (next === null) return;
      elementOf(next)?.setAttribute('aria-current', 'true');
      // Follows the playback, but does not scroll while the user is in the list.
      if (playing && !element.matches(':hover, :focus-within')) {
        reveal(next);
        elementOf(next)?.setAttribute('aria-current', 'true');
      }
    },
  };
}

/** The words of a cue, each with its index to find its time on a click; the plain text if the file has no words. */
function textOf({ words: spoken, text }: SpokenCue): (Node | string)[] {
  if (spoken.length === 0) return [text];
  return spoken.map((word, index) => h('span', { class: word.speaker === null ? 'word' : 'word word--known', 'data-word': index }, word.text));
}
