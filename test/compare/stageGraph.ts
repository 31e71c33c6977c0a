/** Stages of the bundled models as separate graphs with modifiable weights. */
import { readFileSync } from 'node:fs';
import { extract } from '../../src/onnx/cut';
import { parseOnnx } from '../../src/onnx/model';
import type { ModelProto } from '../../src/onnx/onnx_pb';
import { runModel } from '../onnx/run';
import { lstmNodes, replaceWeights, weightsBetween, type LstmNode } from '../../src/onnx/weights';
import type { GoldenStage } from '../../src/compare/files/bundle';
import type { Tensor } from '../../src/compare/tensor';
import type { CauseContext, LayerWeight } from '../../src/compare/causes/context';
import { contextOf } from './planted';

export type Changes = ReadonlyMap<string, Float32Array>;

/** One stage of a model, run on the golden output of the previous stage. */
export class StageGraph {
  readonly weights: ReadonlyMap<string, LayerWeight>;
  readonly lstms: readonly LstmNode[];
  /** Number of runs. */
  numRuns = 0;
  private readonly part: ModelProto;

  /**
   * @param value graph value of the stage
   * @param input graph value that the stage is computed from, with its data
   */
  constructor(
    model: string,
    private readonly value: string,
    private readonly golden: GoldenStage,
    private readonly input: { readonly name: string; readonly tensor: Tensor },
  ) {
    const bounds = { inputs: [input.name], outputs: [value] };
    this.part = extract(parseOnnx(readFileSync(`models/${model}/model.onnx`), model), bounds).model;
    this.lstms = lstmNodes(this.part, bounds);
    this.weights = new Map(
      weightsBetween(this.part, bounds).flatMap(({ name, shape, values, usedBy }) => {
        const read = values();
        return read ? [[name, { name, shape, values: read, nodes: usedBy }]] : [];
      }),
    );
  }

  async run(changes: Changes): Promise<Tensor> {
    this.numRuns++;
    const { name, tensor } = this.input;
    const { [this.value]: result } = await runModel(replaceWeights(this.part, changes), { [name]: tensor });
    return { shape: result!.dims, data: result!.data as Float32Array };
  }

  /** Cause context of the stage with changed weights. */
  async planted(changes: Changes): Promise<CauseContext> {
    const weights = Array.from(this.weights.values(), (weight) => {
      const values = changes.get(weight.name) ?? weight.values;
      return { ...weight, values };
    });
    return contextOf(this.golden, await this.run(changes), {
      layer: { weights, lstms: this.lstms },
      rerun: (more) => this.run(new Map([...changes, ...more])),
    });
  }
}
