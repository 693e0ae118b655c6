import { Consumer } from "@sluice/sluice";

/** Sends back every text and binary message unchanged. */
export class EchoConsumer extends Consumer {
  override receive(data: string | Uint8Array): void {
    this.send(data);
  }
}
