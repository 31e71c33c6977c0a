import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeOnnx, opsetOf } from '../onnx/model';
import { messageOf } from '../util/errors';
import { build, float, node } from '../../test/onnx/build';
import { versionProblem } from './session';

beforeAll(() => { ort.env.logLevel = 'fatal'; });

/** The runtime's failure for a graph with one operator, and the derived problem; null if the graph runs. */
async function problemOf(more: Parameters<typeof build>[1], op = 'Relu') {
  const bytes = encodeOnnx(build({ node: [node(op, ['x'], ['y'])], input: [float('x', 4)], output: [float('y', 4)] }, more));
  try {
    await (await ort.InferenceSession.create(bytes)).release();
    return null;
  } catch (error) {
    return versionProblem(messageOf(error), () => opsetOf(bytes));
  }
}

const opset = (version: bigint, domain = ''): Parameters<typeof build>[1] => ({ opsetImport: [...(domain === '' ? [] : [{ domain: '', version: 17n }]), { domain, version }] });

describe('versionProblem', () => {
  it('reports a too new IR version, the latest supported version, and how to set it', async () => {
    const problem = (await problemOf({ irVersion: 99n }))!;
    expect(problem.reason).toBe('the graph has ONNX IR version 99');
    const [, latest] = /^IR version (\d+) or earlier/.exec(problem.expected)!;
    expect(problem.remedy).toContain(`model.ir_version = ${latest} `);
    expect(await problemOf({ irVersion: BigInt(latest!) })).toBeNull();
  });

  it('reports a too new opset, the latest supported opset, and how to export with it', async () => {
    const problem = (await problemOf(opset(99n)))!;
    expect(problem.reason).toBe('the graph has opset 99');
    const [, latest] = /^opset (\d+) or earlier/.exec(problem.expected)!;
    expect(problem.remedy).toContain(`opset_version=${latest},`);
    expect(await problemOf(opset(BigInt(latest!)))).toBeNull();
  });

  it('reports the domain of another opset', async () => {
    expect(await problemOf(opset(99n, 'ai.onnx.ml'))).toMatchObject({
      reason: 'the graph has opset 99 of ai.onnx.ml',
      expected: expect.stringMatching(/^opset \d+ or earlier of ai\.onnx\.ml/) as string,
    });
  });

  it('reports a too old opset, with the unsupported operator', async () => {
    const problem = (await problemOf(opset(5n)))!;
    expect(problem.reason).toBe('the graph has opset 5, in which this runtime does not support Relu');
    expect(problem.expected).toMatch(/^opset 7 or later/);
    expect(problem.remedy).toContain('opset_version=7');
    expect(await problemOf(opset(7n))).toBeNull();
  });

  it('reports an operator that is missing in the opset of the graph', async () => {
    expect(await problemOf(opset(13n), 'HardSwish')).toMatchObject({ reason: 'it has no operator HardSwish in version 13', remedy: expect.stringContaining('later opset_version if HardSwish') as string });
  });

  it('ignores other failures', () => {
    expect(versionProblem('Could not find an implementation for Erf(13)', () => 17)).toBeNull();
    expect(versionProblem('std::bad_alloc', () => 5)).toBeNull();
  });
});
