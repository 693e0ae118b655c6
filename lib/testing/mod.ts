/**
 * The test kit: consumers without a network, and a clock that tests move.
 *
 * @module
 */
export {
  communicate,
  type CommunicateOptions,
  Communicator,
  type ConnectResult,
} from "./communicate.ts";
export { FakeClock, settle } from "./fake_clock.ts";
export type { SocketClosed } from "./fake_socket.ts";
export { testChannelLayer, type TestChannelLayerOptions } from "./test_channel_layer.ts";
