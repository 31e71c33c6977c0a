/** Checks that a plan or a merge replaces only files that an earlier one wrote. */
import { existsSync, realpathSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { reasonOf } from '../output';
import { textLines } from './jsonLines';
import { corpusFiles, entrySchema } from './layout';

const mergedRowSchema = v.looseObject({ id: v.exactOptional(v.string()), status: v.string() });
const anyPlanSchema = v.looseObject({ numShards: v.number() });

/**
 * Users have folders with reference turns that are named `rttm`, and manifests that are named `nemo.jsonl`.
 *
 * @param out output folder of a merge
 * @throws Error with a one-line message if the merge would replace a file that is not from a merge
 */
export async function requireMergeFolder(out: string): Promise<void> {
  const results = join(out, 'results.jsonl');
  const ids = existsSync(results) ? await mergedIds(results) : null;
  if (ids === null) {
    for (const name of ['corpus.rttm', 'supervisions.jsonl', 'nemo.jsonl']) {
      if (existsSync(join(out, name))) throw foreign(join(out, name));
    }
  }
  const folder = join(out, 'rttm');
  for (const name of await namesIn(folder)) {
    if (!name.startsWith('.') && !(name.endsWith('.rttm') && ids?.has(name.slice(0, -'.rttm'.length)))) throw foreign(join(folder, name));
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if ((cause as { readonly code?: unknown }).code === 'ENOENT') return [];
    throw new Error(`${folder} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

async function mergedIds(results: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const { text } of textLines(results)) {
    const row = parsedAs(mergedRowSchema, text);
    if (row === null) throw foreign(results);
    if (row.id !== undefined) ids.add(row.id);
  }
  return ids;
}

const foreign = (path: string): Error =>
  new Error(`${path} is not from a merge of this corpus, and the merge would replace it. Merge into another folder by --out, or move what is there`);

/**
 * @param inputs of the plan
 * @param folder corpus folder
 * @throws Error with a one-line message if the plan would replace one of its inputs, or a file that is not from a plan
 */
export async function requirePlanFolder(inputs: readonly string[], folder: string): Promise<void> {
  const { plan, manifest, refused } = corpusFiles(folder);
  const written = new Set([plan, manifest, refused].filter((path) => existsSync(path)).map((path) => realpathSync(path)));
  for (const input of inputs) {
    if (existsSync(input) && written.has(realpathSync(input))) throw new Error(`${input} is an input, and the plan would replace it. Plan into another folder by --out`);
  }
  const advice = 'and the plan would replace it. Plan into another folder by --out, or move the file';
  if (existsSync(plan)) {
    if (parsedAs(anyPlanSchema, await readFile(plan, 'utf8')) === null) throw new Error(`${plan} is not from "corpus plan", ${advice}`);
  } else if (existsSync(manifest)) {
    for await (const { text } of textLines(manifest)) {
      if (parsedAs(entrySchema, text) === null) throw new Error(`${manifest} is not from "corpus plan", ${advice}`);
      break;
    }
  }
}

function parsedAs<Schema extends v.GenericSchema>(schema: Schema, text: string): v.InferOutput<Schema> | null {
  try {
    const read = v.safeParse(schema, JSON.parse(text));
    return read.success ? read.output : null;
  } catch {
    return null;
  }
}
