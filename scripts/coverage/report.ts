/**
 * Prints the statement coverage of the runs recorded in `VOXLANE_COVERAGE`, in total and per folder:
 * `tsx scripts/coverage/report.ts [--files]`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { countsForCoverage, coverageFolder, instrument } from './plugin.ts';

const ROOT = join(import.meta.dirname, '../..');

function main(): void {
  if (!coverageFolder) throw new Error('Set VOXLANE_COVERAGE to the output folder of the tests.');
  const covered = new Map<string, Set<number>>();
  for (const name of readdirSync(coverageFolder).filter((file) => file.endsWith('.ndjson'))) {
    for (const line of readFileSync(join(coverageFolder, name), 'utf8').split('\n')) {
      if (line === '') continue;
      for (const [file, ids] of Object.entries(JSON.parse(line) as Record<string, number[]>)) {
        const known = covered.get(file) ?? new Set();
        covered.set(file, known);
        for (const id of ids) known.add(id);
      }
    }
  }
  const folders = new Map<string, { hit: number; all: number }>();
  const add = (key: string, hit: number, all: number): void => {
    const sum = folders.get(key) ?? { hit: 0, all: 0 };
    folders.set(key, { hit: sum.hit + hit, all: sum.all + all });
  };
  for (const top of ['src', 'workers']) {
    for (const entry of readdirSync(join(ROOT, top), { recursive: true }) as string[]) {
      const file = join(top, entry);
      if (!countsForCoverage(join(ROOT, file))) continue;
      const { statements } = instrument(readFileSync(join(ROOT, file), 'utf8'), join(ROOT, file));
      const hit = statements.filter((id) => covered.get(file)?.has(id)).length;
      add('total', hit, statements.length);
      add(file.split('/').slice(0, 2).join('/'), hit, statements.length);
      if (process.argv.includes('--files')) add(file, hit, statements.length);
    }
  }
  for (const [key, { hit, all }] of folders) {
    console.log(`${((100 * hit) / Math.max(all, 1)).toFixed(2).padStart(6)} %  ${hit}/${all}  ${key}`);
  }
}

main();
