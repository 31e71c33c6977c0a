import type { Turn } from '../timeline/turn';
import { ownValue } from '../util/ownValue';
import { oneLine } from './milliseconds';
import { tiersOf } from './tiers';

/** What an ELAN document says besides its turns. */
export interface EafFacts {
  /** Name of the recording, which ELAN looks for beside the document. */
  readonly mediaFile: string;
  /** When the document was made. */
  readonly date: Date;
}

const LINGUISTIC_TYPE = 'default-lt';

/** ELAN's kinds of media, by the ends of file names; the rest is `audio/*`. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  wav: 'audio/x-wav',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  mov: 'video/quicktime',
  mpg: 'video/mpeg',
  mpeg: 'video/mpeg',
  webm: 'video/*',
  mkv: 'video/*',
};

/**
 * The turns as an ELAN document (`.eaf`, format 3.0): a tier for each speaker, in milliseconds, whose annotations hold
 * the speaker's name. A name's line ends become spaces, and characters that XML has no place for are left out.
 * Source: https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf
 *
 * @param turns times in seconds, `speaker` as it is to be shown
 */
export function toEaf(turns: readonly Turn[], { mediaFile, date }: EafFacts): string {
  const tiers = tiersOf(turns);
  const slots: { readonly ms: number; id: string }[] = [];
  const slotAt = (ms: number) => {
    const slot = { ms, id: '' };
    slots.push(slot);
    return slot;
  };
  const placed = tiers.map(({ name, intervals }) => ({
    name: escaped(name),
    annotations: intervals.map(({ startMs, endMs }) => ({ start: slotAt(startMs), end: slotAt(endMs) })),
  }));
  // ELAN takes the order of the slots for the order in time.
  slots.sort((a, b) => a.ms - b.ms).forEach((slot, index) => (slot.id = `ts${index + 1}`));
  let lastAnnotation = 0;
  const tierElements = placed.map(({ name, annotations }) => [
    `    <TIER LINGUISTIC_TYPE_REF="${LINGUISTIC_TYPE}" PARTICIPANT="${name}" TIER_ID="${name}">`,
    ...annotations.flatMap(({ start, end }) => [
      '        <ANNOTATION>',
      `            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a${++lastAnnotation}" TIME_SLOT_REF1="${start.id}" TIME_SLOT_REF2="${end.id}">`,
      `                <ANNOTATION_VALUE>${name}</ANNOTATION_VALUE>`,
      '            </ALIGNABLE_ANNOTATION>',
      '        </ANNOTATION>',
    ]),
    '    </TIER>',
  ]);
  const media = escaped(oneLine(mediaFile));
  const type = ownValue(MEDIA_TYPES, /\.([^.]+)$/.exec(mediaFile)?.[1]?.toLowerCase() ?? '') ?? 'audio/*';
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<ANNOTATION_DOCUMENT AUTHOR="" DATE="${date.toISOString()}" FORMAT="3.0" VERSION="3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">`,
    '    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">',
    `        <MEDIA_DESCRIPTOR MEDIA_URL="file:///${media}" MIME_TYPE="${type}" RELATIVE_MEDIA_URL="./${media}"/>`,
    `        <PROPERTY NAME="lastUsedAnnotationId">${lastAnnotation}</PROPERTY>`,
    '    </HEADER>',
    '    <TIME_ORDER>',
    ...slots.map(({ id, ms }) => `        <TIME_SLOT TIME_SLOT_ID="${id}" TIME_VALUE="${ms}"/>`),
    '    </TIME_ORDER>',
    ...tierElements.flat(),
    `    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="${LINGUISTIC_TYPE}" TIME_ALIGNABLE="true"/>`,
    '</ANNOTATION_DOCUMENT>',
    '',
  ].join('\n');
}

/** For an attribute's value or an element's text. */
function escaped(text: string): string {
  return text
    .replace(/[\uFFFE\uFFFF]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
