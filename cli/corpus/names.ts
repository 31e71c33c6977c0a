/** Names of recordings and entries: unique, and safe as file names and in RTTM. */
import { createHash } from 'node:crypto';
import { basename, dirname, extname } from 'node:path';

/** File systems allow 255 bytes. The rest is for times, numbers and endings. */
const MAX_BYTES = 120;

/** The name with letters, digits and `. _ - + = @` only, and shortened if it is too long. */
export function safeName(name: string): string {
  const safe = name.normalize('NFC').replace(/[^\p{L}\p{N}_.+=@-]/gu, '_').replace(/^[^\p{L}\p{N}_]/u, '_') || '_';
  if (Buffer.byteLength(safe) <= MAX_BYTES) return safe;
  let short = '';
  for (const letter of safe) {
    if (Buffer.byteLength(short + letter) > MAX_BYTES - 9) break;
    short += letter;
  }
  return `${short}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

/** Name of a recording without a name of its own: the file's, without its ending. */
export const stemOf = (path: string): string => basename(path, extname(path));

/** Some file systems do not distinguish cases. */
const keyOf = (name: string): string => name.toLowerCase();

/**
 * Makes names distinct. A name that several recordings have gets the name of its folder in front: `a/x.wav` and `b/x.wav` become
 * `a-x` and `b-x`. Names that are still equal get the ending of the file, and then a number. All names must be announced before the first is asked for.
 */
export class DistinctNames {
  /** The first recording with each name. */
  private readonly owners = new Map<string, string>();
  private readonly ambiguous = new Set<string>();
  /** Names of recordings with an ambiguous name, by name and path. */
  private readonly renamed = new Map<string, string>();
  private readonly takenRecordings = new Set<string>();
  private readonly takenIds = new Set<string>();

  /** @param name from {@link safeName} */
  announce(name: string, path: string): void {
    const key = keyOf(name);
    const owner = this.owners.get(key);
    if (owner === undefined) this.owners.set(key, path);
    else if (owner !== path) this.ambiguous.add(key);
  }

  /** The distinct name of a recording; the same for each of its segments. */
  recording(name: string, path: string): string {
    if (!this.ambiguous.has(keyOf(name))) return name;
    const place = `${keyOf(name)}\n${path}`;
    const known = this.renamed.get(place);
    if (known !== undefined) return known;
    const isTaken = (candidate: string): boolean => this.owners.has(keyOf(candidate)) || this.takenRecordings.has(keyOf(candidate));
    const inFolder = safeName(`${basename(dirname(path))}-${name}`);
    const withEnding = safeName(`${basename(dirname(path))}-${name}${extname(path)}`);
    const distinct = isTaken(inFolder) ? numbered(withEnding, isTaken) : inFolder;
    this.takenRecordings.add(keyOf(distinct));
    this.renamed.set(place, distinct);
    return distinct;
  }

  /** The distinct id of an entry. */
  entry(name: string): string {
    const id = numbered(name, (candidate) => this.takenIds.has(keyOf(candidate)));
    this.takenIds.add(keyOf(id));
    return id;
  }
}

function numbered(name: string, isTaken: (candidate: string) => boolean): string {
  if (!isTaken(name)) return name;
  for (let number = 2; ; number++) if (!isTaken(`${name}-${number}`)) return `${name}-${number}`;
}
