import { destroyAll, Staging, storageBuffer, uploadBuffer } from '../gpu/buffers';
import { type GpuContext, guardRoom, openGuarded, type Own, readBack } from '../gpu/context';
import { Gelu } from '../gpu/gelu';
import { LayerNorm, packLayerNorm } from '../gpu/layerNorm';
import { MapGuard } from '../gpu/mapGuard';
import { type GpuWeights, packWeights, ProductKernels, type ProductStep, uploadWeights } from '../gpu/product';
import { Program } from '../gpu/program';
import type { ModelProto } from '../onnx/onnx_pb';
import type { SessionTensor } from '../ort/session';
import { healthy } from '../util/values';
import { GpuAttention, HEAD_SIZE, packRotation } from './gpuAttention';
import { type FbankFacts, GpuMelFrames } from './gpuMelFrames';
import { type NetworkFacts, sizeOfLastAxis, tooLong, type Weights } from './graphNetwork';
import type { SampleBatch, StepInput, StreamNetwork } from './network';
import { type LinearLayer, type NetworkLayers, type NormLayer, readLayers, unlike } from './networkLayers';

/** Dispatches of a layer: two norms, four products, attention, GELU, and three checks. */
const LAYER_DISPATCHES = 11;
/** Dispatches besides the layers: two norms, four products, a check and the marking. */
const OTHER_DISPATCHES = 8;
/** Groups of channels that are checked in each layer, besides the heads. */
const CHECKED_MAPS = 2;

export interface GpuNetworkOptions {
  /** The graph with external tensors and without their values, of `parseGraphAlone`, or that with float16 matrices, of `graphInForm`. */
  readonly model: ModelProto;
  /** The values of its external tensors. Not used afterward. */
  readonly weights: Weights;
  readonly manifest: NetworkFacts;
  /** The filterbank, for {@link GpuNetwork.embedSamples}; absent: the network has no such method. */
  readonly filterbank?: FbankFacts;
  /** Values inside the network that are read with the logits, for comparison: `layer1` and so on, and `head`. */
  readonly taps?: readonly string[];
  /** Called in each step with the values of `taps`, for all encoder frames. */
  readonly onValues?: (values: ReadonlyMap<string, SessionTensor>) => void;
}

/** A norm on the GPU. */
interface GpuNorm {
  readonly norm: GPUBuffer;
  readonly epsilon: number;
}

/** The layers on the GPU. */
type GpuLayers<Layer> = { readonly [Name in keyof Layer]: Layer[Name] extends NormLayer ? GpuNorm : GpuWeights };

type Head = Pick<NetworkLayers, 'stacking' | 'inputNorm' | 'outputNorm' | 'projection' | 'upsampler' | 'dense' | 'classifier'>;

/** Buffers of a step, for `maxFrames` encoder frames. */
interface Room {
  readonly maxFrames: number;
  /** Sums of the layers, and the output of stacking; axes (frame, hidden). */
  readonly sums: GPUBuffer;
  /** Input of a product: normalized sums, or the result of attention; at first the embeddings. Axes (frame, hidden). */
  readonly inputs: GPUBuffer;
  /** Axes (frame, [query, key, value], head, channel). */
  readonly projections: GPUBuffer;
  /** Axes (frame, unit of the MLP); also the input of stacking. */
  readonly units: GPUBuffer;
  /** Input of the convolution: axes (padding frame | frame | padding frame, channel). */
  readonly padded: GPUBuffer;
  /** Axes (mel frame, channel). */
  readonly head: GPUBuffer;
  readonly dense: GPUBuffer;
  /** Axes (mel frame, speaker). */
  readonly logits: GPUBuffer;
  readonly staging: Staging;
}

/** A value that is complete after a number of dispatches. */
interface Mark {
  readonly name: string;
  readonly end: number;
  readonly buffer: GPUBuffer;
  readonly shape: readonly [number, number];
}

/**
 * The network of a Sortformer model on our own WGSL kernels. All layers of a step are one submission, and only logits are read
 * back. Buffers are allocated once, for the longest step. Call one method at a time.
 */
export class GpuNetwork implements StreamNetwork {
  readonly numMelBins: number;
  readonly silence: Float32Array;
  /**
   * As in {@link StreamNetwork}; features stay on the GPU.
   *
   * @throws VoxlaneError like {@link embed}
   */
  readonly embedSamples?: (batch: SampleBatch) => Promise<Float32Array>;
  private readonly program: Program;
  private room: Room | null = null;

  private constructor(
    private readonly gpu: GpuContext,
    private readonly options: Pick<GpuNetworkOptions, 'manifest' | 'taps' | 'onValues'>,
    layers: NetworkLayers,
    private readonly attention: Pick<NetworkLayers, 'numHeads' | 'scale' | 'numTaps'> & { readonly rotation: GPUBuffer },
    private readonly head: GpuLayers<Head>,
    private readonly encoder: readonly GpuLayers<NetworkLayers['encoder'][number]>[],
    /** Bound where the classifier reads the head: the factors of a ReLU. */
    private readonly relu: GPUBuffer,
    private readonly buffers: readonly GPUBuffer[],
    private readonly kernels: { products: ProductKernels; norm: LayerNorm; gelu: Gelu; attention: GpuAttention; guard: MapGuard },
    private readonly frontEnd: GpuMelFrames | null,
  ) {
    if (frontEnd) this.embedSamples = (batch) => this.embedOnGpu(frontEnd, batch);
    this.numMelBins = sizeOfLastAxis(options.manifest.tensors.features);
    this.silence = layers.silence;
    this.program = new Program(gpu.device, 'diarization', encoder.length * LAYER_DISPATCHES + OTHER_DISPATCHES);
  }

  /**
   * Compiles the kernels and uploads the weights.
   *
   * @throws VoxlaneError `model-invalid` if weights are missing or the graph has another structure; `gpu-memory`, `gpu-lost`;
   *   `backend-failed` if a kernel does not compile
   */
  static open(gpu: GpuContext, { model, weights, ...options }: GpuNetworkOptions): Promise<GpuNetwork> {
    const layers = readLayers(model, weights);
    checkWidths(layers, options.manifest);
    return openGuarded(gpu, (own) => GpuNetwork.build(gpu, layers, options, own));
  }

  private static async build(gpu: GpuContext, layers: NetworkLayers, options: Omit<GpuNetworkOptions, 'model' | 'weights'>, own: Own): Promise<GpuNetwork> {
    const { device } = gpu;
    const buffers: GPUBuffer[] = [];
    const products = own(new ProductKernels(device));
    const upload = (values: Float32Array<ArrayBuffer>): GPUBuffer => {
      const buffer = own(uploadBuffer(device, 'diarization weights', values));
      buffers.push(buffer);
      return buffer;
    };
    const uploadLinear = async ({ weight, numInputs, numOutputs, bias }: LinearLayer): Promise<GpuWeights> => {
      const isHalf = weight instanceof Uint16Array;
      const packed = packWeights({ numInputs, numColumns: numOutputs, bias, isHalf }, (k, column) => weight[column * numInputs + k]!);
      const uploaded = uploadWeights(device, 'diarization weights', packed, own);
      buffers.push(uploaded.weights, uploaded.bias);
      await products.open(packed);
      return uploaded;
    };
    const uploadNorm = ({ scale, shift, epsilon }: NormLayer): GpuNorm => ({ norm: upload(packLayerNorm(scale, shift)), epsilon });

    const encoder: GpuLayers<NetworkLayers['encoder'][number]>[] = [];
    for (const layer of layers.encoder) {
      encoder.push({
        attentionNorm: uploadNorm(layer.attentionNorm),
        projections: await uploadLinear(layer.projections),
        attended: await uploadLinear(layer.attended),
        mlpNorm: uploadNorm(layer.mlpNorm),
        mlpIn: await uploadLinear(layer.mlpIn),
        mlpOut: await uploadLinear(layer.mlpOut),
      });
      // Copies of the values on their way to the GPU are freed, and a lost device ends the work.
      await device.queue.onSubmittedWorkDone();
    }
    const head = {
      stacking: await uploadLinear(layers.stacking),
      inputNorm: uploadNorm(layers.inputNorm),
      outputNorm: uploadNorm(layers.outputNorm),
      projection: await uploadLinear(layers.projection),
      upsampler: await uploadLinear(layers.upsampler),
      dense: await uploadLinear(layers.dense),
      classifier: await uploadLinear(layers.classifier),
    };
    const relu = upload(Float32Array.from({ length: 4 * layers.dense.numInputs }, (_, i) => Number(i % 4 === 1)));
    const { numHeads, scale, numTaps, cos, sin } = layers;
    const attention = { numHeads, scale, numTaps, rotation: upload(packRotation(cos, sin)) };
    const kernels = {
      products,
      norm: await LayerNorm.open(device),
      gelu: await Gelu.open(device),
      attention: await GpuAttention.open(device),
      guard: await MapGuard.open(device),
    };
    const frontEnd = options.filterbank ? own(await GpuMelFrames.open(device, options.filterbank)) : null;
    await device.queue.onSubmittedWorkDone();
    const network = new GpuNetwork(gpu, options, layers, attention, head, encoder, relu, buffers, kernels, frontEnd);
    own(network.program);
    return network;
  }

  /** @throws VoxlaneError `gpu-wrong` if a value is not finite or all are zero; `gpu-memory`, `gpu-lost`, `backend-failed` */
  async embed(melFrames: Float32Array): Promise<Float32Array> {
    const numFrames = melFrames.length / this.head.stacking.numInputs;
    if (numFrames === 0) return new Float32Array(0);
    const data = await this.stack(numFrames, 0, (_encoder, units) => {
      this.gpu.device.queue.writeBuffer(units, 0, melFrames as Float32Array<ArrayBuffer>);
    });
    // Features of padding are zeros, and so are their projections.
    return melFrames.some((value) => value !== 0) ? this.healthyStacked(data) : data;
  }

  private async embedOnGpu(frontEnd: GpuMelFrames, batch: SampleBatch): Promise<Float32Array> {
    const numFrames = batch.numFrames / this.melFrames;
    if (numFrames === 0) return new Float32Array(0);
    return this.healthyStacked(await this.stack(numFrames, frontEnd.framesBefore(batch), (encoder, units) => { frontEnd.encode(encoder, batch, units); }));
  }

  private healthyStacked(data: Float32Array): Float32Array {
    return healthy(data, this.options.manifest.tensors.stacked.name, 'gpu-wrong');
  }

  /**
   * Projects encoder frames.
   *
   * @param skipped mel frames before them in the buffer
   * @param fill writes the mel frames to a buffer, or records the commands that do it
   */
  private stack(numFrames: number, skipped: number, fill: (encoder: GPUCommandEncoder, units: GPUBuffer) => void): Promise<Float32Array> {
    const { stacking } = this.head;
    return guardRoom(this.gpu, () => { this.freeRoom(); }, () => {
      const { units, sums, staging } = this.roomFor(numFrames + Math.ceil(skipped / this.melFrames));
      const encoder = this.gpu.device.createCommandEncoder({ label: 'stacking' });
      fill(encoder, units);
      this.program.clear();
      this.addLinear(stacking, units, sums, numFrames, { inputRows: { base: skipped * this.numMelBins, outerStride: stacking.numInputs } });
      this.program.upload();
      this.program.encode(encoder);
      return staging.read(encoder, sums, numFrames * stacking.numColumns);
    });
  }

  /**
   * @throws VoxlaneError `options` if there are more frames than positions; `gpu-wrong` if a value of a layer or a logit is not
   *   finite, or all are zero; `gpu-memory`, `gpu-lost`, `backend-failed`
   */
  async logits(input: StepInput): Promise<Float32Array> {
    const { manifest: { maxEncoderFrames, tensors }, taps = [] } = this.options;
    const { numFrames, firstScoredFrame } = input;
    if (numFrames > maxEncoderFrames) throw tooLong(numFrames, maxEncoderFrames);
    if (firstScoredFrame >= numFrames) return new Float32Array(0);
    const work = (): Promise<Float32Array> => (taps.length > 0 ? this.trace(input) : this.compute(input));
    return healthy(await guardRoom(this.gpu, () => { this.freeRoom(); }, work), tensors.logits.name, 'gpu-wrong');
  }

  /** Frees the GPU memory. */
  release(): Promise<void> {
    this.freeRoom();
    this.frontEnd?.destroy();
    this.program.destroy();
    this.kernels.products.destroy();
    destroyAll(...this.buffers);
    return Promise.resolve();
  }

  /** Computes the logits from `firstScoredFrame` on. */
  private compute(input: StepInput): Promise<Float32Array> {
    const room = this.prepare(input);
    const encoder = this.gpu.device.createCommandEncoder({ label: 'diarization' });
    this.reset(encoder, room, input.numFrames);
    this.program.encode(encoder);
    return room.staging.read(encoder, room.logits, (input.numFrames - input.firstScoredFrame) * this.logitsPerFrame);
  }

  /** Computes all logits, reads every tapped value back, and reports them. */
  private async trace(input: StepInput): Promise<Float32Array> {
    const { taps = [], onValues } = this.options;
    const marks: Mark[] = [];
    const { numFrames, firstScoredFrame } = input;
    const room = this.prepare({ ...input, firstScoredFrame: 0 }, marks);
    const values = new Map<string, SessionTensor>();
    let first = 0;
    const read = (buffer: GPUBuffer, length: number, end: number): Promise<Float32Array> =>
      readBack(this.gpu.device, buffer, 4 * length, (encoder) => {
        if (first === 0) this.reset(encoder, room, numFrames);
        this.program.encode(encoder, first, end);
        first = end;
      });
    for (const { name, end, buffer, shape } of marks) {
      if (taps.includes(name)) values.set(name, { data: await read(buffer, shape[0] * shape[1], end), shape, dtype: 'float32' });
    }
    const logits = await read(room.logits, numFrames * this.logitsPerFrame, this.program.numDispatches);
    onValues?.(values);
    return logits.subarray(firstScoredFrame * this.logitsPerFrame);
  }

  /** Number of logits of an encoder frame. */
  private get logitsPerFrame(): number {
    return this.melFrames * this.head.classifier.numColumns;
  }

  /** Number of mel frames of an encoder frame. */
  private get melFrames(): number {
    return this.head.upsampler.numColumns / this.head.dense.numInputs;
  }

  /** Clears the frame after the last of the convolution's input, and the results of earlier checks. */
  private reset(encoder: GPUCommandEncoder, { padded }: Room, numFrames: number): void {
    const rowBytes = 4 * this.head.projection.numColumns;
    encoder.clearBuffer(padded, (numFrames + 1) * rowBytes, rowBytes);
    this.kernels.guard.reset(encoder);
  }

  /** Lists the dispatches of a step and uploads everything that they need. */
  private prepare({ embeddings, numFrames, numValidFrames, firstScoredFrame }: StepInput, marks: Mark[] = []): Room {
    const room = this.roomFor(numFrames);
    const { program, encoder, head, kernels } = this;
    const { inputs, sums, padded } = room;
    const hiddenSize = this.silence.length;
    this.gpu.device.queue.writeBuffer(inputs, 0, embeddings as Float32Array<ArrayBuffer>, 0, numFrames * hiddenSize);
    program.clear();
    kernels.guard.clear();
    const mark = (name: string, buffer: GPUBuffer, shape: readonly [number, number]): void => void marks.push({ name, end: program.numDispatches, buffer, shape });

    this.addNorm(head.inputNorm, inputs, sums, numFrames);
    for (const [index, layer] of encoder.entries()) {
      // Padding of a step without valid frames attends to itself.
      this.addLayer(layer, room, numFrames, numValidFrames || numFrames);
      mark(`layer${index + 1}`, sums, [numFrames, hiddenSize]);
    }
    this.addNorm(head.outputNorm, sums, inputs, numFrames);
    const width = head.projection.numColumns;
    this.addLinear(head.projection, inputs, padded, numFrames, { outRows: { base: width, outerStride: width } });
    const numScored = numFrames - firstScoredFrame;
    const numRows = numScored * this.melFrames;
    // The frame before the first is the padding frame, so the taps of a frame start at its own place.
    this.addLinear(head.upsampler, padded, room.head, numScored, { inputRows: { base: firstScoredFrame * width, outerStride: width } });
    this.addCheck(room.head, numRows, head.dense.numInputs);
    mark('head', room.head, [numRows, head.dense.numInputs]);
    this.addLinear(head.dense, room.head, room.dense, numRows, { factors: this.relu, channels: head.dense.numInputs, slope: 0 });
    this.addLinear(head.classifier, room.dense, room.logits, numRows);
    kernels.guard.addMark(program, room.logits, numRows * head.classifier.numColumns);
    program.upload();
    return room;
  }

  /** Adds a layer, which adds to the sums. Matches `Nemotron3DiarizationEncoderLayer`. */
  private addLayer(layer: GpuLayers<NetworkLayers['encoder'][number]>, room: Room, numFrames: number, numKeys: number): void {
    const { program, kernels, attention } = this;
    const { sums, inputs, projections, units } = room;
    const hiddenSize = this.silence.length;
    this.addNorm(layer.attentionNorm, sums, inputs, numFrames);
    this.addLinear(layer.projections, inputs, projections, numFrames);
    const { rotation, numHeads, scale } = attention;
    kernels.attention.add(program, { projections, rotation, numFrames, numKeys, numHeads, scale, out: inputs });
    // Each head by itself. The sums never show that what a layer adds is zero.
    this.addCheck(inputs, numFrames, hiddenSize, HEAD_SIZE);
    this.addLinear(layer.attended, inputs, sums, numFrames, { accumulate: true });
    this.addNorm(layer.mlpNorm, sums, inputs, numFrames);
    this.addLinear(layer.mlpIn, inputs, units, numFrames);
    kernels.gelu.add(program, units, numFrames * layer.mlpIn.numColumns);
    this.addCheck(units, numFrames, layer.mlpIn.numColumns);
    this.addLinear(layer.mlpOut, units, sums, numFrames, { accumulate: true });
    this.addCheck(sums, numFrames, hiddenSize);
  }

  private addNorm({ norm, epsilon }: GpuNorm, values: GPUBuffer, out: GPUBuffer, numRows: number): void {
    this.kernels.norm.add(this.program, { values, numRows, numChannels: this.silence.length, norm, epsilon, out });
  }

  private addLinear(weights: GpuWeights, input: GPUBuffer, out: GPUBuffer, numRows: number, changes: Partial<ProductStep<GPUBuffer, GPUBuffer>> = {}): void {
    const inputRows = { base: 0, outerStride: weights.numInputs };
    const outRows = { base: 0, outerStride: weights.numColumns };
    this.kernels.products.add(this.program, weights, { input, inputRows, out, outRows, numRows, ...changes });
  }

  private addCheck(map: GPUBuffer, numRows: number, numChannels: number, groupChannels = numChannels): void {
    this.kernels.guard.add(this.program, { map, rows: { perItem: numRows }, numItems: 1, numChannels, firstChannels: groupChannels, groupChannels });
  }

  private roomFor(numFrames: number): Room {
    if (this.room && numFrames <= this.room.maxFrames) return this.room;
    this.freeRoom();
    const { device } = this.gpu;
    const { head, encoder } = this;
    const maxFrames = Math.max(numFrames, this.options.manifest.maxEncoderFrames);
    const hiddenSize = this.silence.length;
    const buffer = (label: string, lengthPerFrame: number, numFramesMore = 0): GPUBuffer =>
      storageBuffer(device, `diarization ${label}`, (maxFrames + numFramesMore) * lengthPerFrame);
    this.kernels.guard.layOut(encoder.length * (this.attention.numHeads + CHECKED_MAPS) + 1);
    this.room = {
      maxFrames,
      sums: buffer('sums', hiddenSize),
      inputs: buffer('inputs', hiddenSize),
      projections: buffer('projections', 3 * hiddenSize),
      units: buffer('units', Math.max(head.stacking.numInputs, ...encoder.map(({ mlpIn }) => mlpIn.numColumns))),
      padded: buffer('padded frames', head.projection.numColumns, this.attention.numTaps - 1),
      head: buffer('head', head.upsampler.numColumns),
      dense: buffer('dense', this.melFrames * head.dense.numColumns),
      logits: buffer('logits', this.logitsPerFrame),
      staging: new Staging(device, maxFrames * Math.max(hiddenSize, this.logitsPerFrame)),
    };
    return this.room;
  }

  private freeRoom(): void {
    this.program.forgetBuffers();
    this.kernels.guard.free();
    this.frontEnd?.forgetBuffers();
    if (!this.room) return;
    const { sums, inputs, projections, units, padded, head, dense, logits, staging } = this.room;
    destroyAll(sums, inputs, projections, units, padded, head, dense, logits, staging);
    this.room = null;
  }
}

/** @throws VoxlaneError `model-invalid` if a layer does not fit the one before, or the kernels */
function checkWidths({ encoder, stacking, projection, upsampler, dense, classifier, silence, numTaps, numHeads, headSize, cos }: NetworkLayers, { maxEncoderFrames }: NetworkFacts): void {
  const hiddenSize = silence.length;
  if (headSize !== HEAD_SIZE || numHeads * headSize !== hiddenSize) throw unlike(`it has ${numHeads} heads of ${headSize} channels for ${hiddenSize} channels`);
  if (numTaps !== 3) throw unlike(`its upsampling has ${numTaps} taps`);
  if (encoder.length === 0) throw unlike('its encoder has no layers');
  if (cos.length < maxEncoderFrames * (HEAD_SIZE / 2)) throw unlike(`it has fewer than ${maxEncoderFrames} positions`);
  const fits = encoder.every(({ projections, attended, mlpIn, mlpOut }) =>
    projections.numInputs === hiddenSize && projections.numOutputs === 3 * hiddenSize && attended.numInputs === hiddenSize && attended.numOutputs === hiddenSize &&
    mlpIn.numInputs === hiddenSize && mlpIn.numOutputs === mlpOut.numInputs && mlpOut.numOutputs === hiddenSize);
  if (!fits || stacking.numOutputs !== hiddenSize || projection.numInputs !== hiddenSize) throw unlike(`its layers do not have ${hiddenSize} channels`);
  const fitsHead = upsampler.numInputs === numTaps * projection.numOutputs && upsampler.numOutputs % dense.numInputs === 0 && dense.numOutputs === classifier.numInputs;
  if (!fitsHead) throw unlike('the layers of its head do not fit each other');
}
