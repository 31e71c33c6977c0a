import { CustomAudioDecoder, type EncodedPacket } from 'mediabunny';

/**
 * A decoder that reports errors by `onError`. If `init` or `decode` threw, mediabunny 1.61 would cause an unhandled
 * rejection, which ends a process of Node. After an error, it closes itself, which mediabunny does not do, and ignores
 * packets.
 */
export abstract class ReportingDecoder extends CustomAudioDecoder {
  private hasFailed = false;

  /** Loads the decoder. May throw. */
  protected abstract open(): Promise<void>;
  /** Decodes a packet at once. May throw. */
  protected abstract decodePacket(packet: EncodedPacket): void;

  override async init(): Promise<void> {
    try {
      await this.open();
    } catch (error) {
      this.fail(error);
    }
  }

  override decode(packet: EncodedPacket): void {
    if (this.hasFailed) return;
    try {
      this.decodePacket(packet);
    } catch (error) {
      this.fail(error);
    }
  }

  override flush(): void {
    // No packet is waiting.
  }

  /** May be called again. */
  abstract override close(): void;

  private fail(error: unknown): void {
    this.hasFailed = true;
    this.close();
    this.onError(error);
  }
}
