import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { expandedByKubernetes as expanded } from '../../../test/corpus/expandedByKubernetes';
import { jobText, readRequest } from '../template';

interface Manifest {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[]; readonly env: readonly { readonly value: string }[] }[] } } };
}

test('paths and options with dollar signs arrive unchanged', () => {
  const corpus = '/data/$(shards) $$ "x"';
  const request = readRequest(['kubernetes', '--corpus', corpus, '--shards', '4', '--', '--model', '/m/$(corpus)$$.onnx']);
  const [run] = parseAllDocuments(jobText(request!)).map((document) => document.toJS() as Manifest);
  const [container] = run!.spec.template.spec.containers;
  const names = { corpus, shards: '4' };
  expect(expanded(container!.env[0]!.value, { shards: '4' })).toBe(corpus);
  const script = expanded(container!.args[0]!, names);
  expect(script).toContain(`exec voxlane corpus run "$corpus" --model '/m/$(corpus)$$.onnx'`);
  expect(script).toContain('$(nproc) cores');
});
