/** Names of the forms of converted files in the store, and what a visit can use without a download. */
import type { StoredModel } from '../store/cacheTools';
import { acceptedFile, type Sources } from '../store/sources';
import type { WeightsForm } from './convert';

/** The version of each form, increased when it changes, so that files of older releases are converted again. */
const VERSIONS: Readonly<Record<WeightsForm, number>> = { float32: 1, float16: 1, int8: 3 };

/** Name of a form that is made from the original. */
export const formName = (form: WeightsForm): string => `${form}.${VERSIONS[form]}`;

/** Name of a form that is made from the stored float16 form, which differs a little from that of the original. */
export const nameFromFloat16 = (form: WeightsForm): string => `${form}-of-float16.${VERSIONS[form]}`;

const NAMES: ReadonlySet<string> = new Set((['float32', 'float16', 'int8'] as const).flatMap((form) => [formName(form), nameFromFloat16(form)]));

/** The files among `files` that were made from a stored original and have a form of this release. The files are not verified. */
export const conversionsOf = <File extends StoredModel>({ id, sha256 }: StoredModel, files: readonly File[]): readonly File[] =>
  files.filter((file) => file.id === id && file.made?.from === sha256 && NAMES.has(file.made.as));

/** Whether `earlier` is the name of the same form in an earlier version than `name`. */
export function isEarlierVersion(earlier: string, name: string): boolean {
  const [[form, version], [ofForm, ofVersion]] = [earlier.split('.'), name.split('.')];
  return form === ofForm && Number(version) < Number(ofVersion);
}

/** Whether a stored file is the original, or made from it, and may be used. @param trustUnknown whether a trusted file of unknown hash may be */
export const isUsable = ({ sha256, made, trusted }: StoredModel, sources: Sources, trustUnknown: boolean): boolean =>
  acceptedFile(sources, made?.from ?? sha256) !== null || (trusted && trustUnknown);

/**
 * The forms of a model that need no download: those that are stored, and those that can be made from stored ones. The files are not
 * verified.
 */
export function storedForms(
  files: readonly StoredModel[],
  { id, sources, trustUnknown }: { readonly id: string; readonly sources: Sources; readonly trustUnknown: boolean },
): ReadonlySet<WeightsForm> {
  const names = new Set(files.filter((file) => file.id === id && isUsable(file, sources, trustUnknown)).map(({ made }) => made?.as));
  if ([undefined, formName('float32'), formName('float16')].some((name) => names.has(name))) return new Set<WeightsForm>(['float32', 'float16', 'int8']);
  return new Set<WeightsForm>(names.has(formName('int8')) || names.has(nameFromFloat16('int8')) ? ['int8'] : []);
}
