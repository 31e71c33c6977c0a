/** Published content: exactly these files, without traces of the build machine. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { CONTENTS, listed } from '../../test/packages/contents';
import { installPackages, packedFiles, ROOT } from '../../test/packages/pack';

for (const name of ['voxlane', 'voxlane-assets'] as const) {
  test(name, async () => {
    test.setTimeout(300_000);
    const { files, size, unpackedSize, version } = await packedFiles(name);
    const numMegabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;
    console.log(`${name}@${version}: ${numMegabytes(size)} packed, ${numMegabytes(unpackedSize)} unpacked, ${files.length} files`);
    const { files: expected, maxPackedBytes, maxUnpackedBytes } = CONTENTS[name];
    expect([...new Set(files.map(({ path }) => listed(path)))].sort()).toEqual([...expected].sort());
    expect(size).toBeLessThan(maxPackedBytes);
    expect(unpackedSize).toBeLessThan(maxUnpackedBytes);

    const installed = join(await installPackages(), 'node_modules', name);
    for (const { path } of files) {
      const content = readFileSync(join(installed, path), 'latin1');
      expect(content.includes(ROOT), `${path} names the folder of the repository`).toBe(false);
      if (!/\.(js|mjs|ts|json|md)$/.test(path)) continue;
      // ONNX Runtime's unmodified scripts refer to a missing source map.
      expect(/sourceMappingURL=(?!ort[\w.-]*\.map\s)/.test(content), `${path} names a source map`).toBe(false);
      expect(content.includes(`${homedir()}/`), `${path} names the folder of a user`).toBe(false);
    }
  });
}

test('the command prints its usage and rejects other arguments', async () => {
  const command = join(await installPackages(), 'node_modules/voxlane/bin/voxlane.js');
  expect(execFileSync(process.execPath, [command, '--help'], { encoding: 'utf8' })).toMatch(/^Usage: voxlane COMMAND[^]*\n {2}copy /);
  expect(() => execFileSync(process.execPath, [command, 'publish'], { stdio: 'pipe' })).toThrow(/there is no command publish/);
  expect(() => execFileSync(process.execPath, [command, 'serve', '.', '70000'], { stdio: 'pipe' })).toThrow(/the port is 70000/);
});
