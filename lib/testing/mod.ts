/**
 * The test kit: consumers without a network, a server with one, test users and sessions, a layer with
 * faults, and a clock under the test's control.
 *
 * @module
 */
export {
  communicate,
  type CommunicateOptions,
  Communicator,
  type ConnectResult,
} from "./communicate.ts";
export {
  communicateHttp,
  type HttpAnswer,
  type HttpCommunicateOptions,
  HttpCommunicator,
} from "./communicate_http.ts";
export { type LiveServer, startServer } from "./deno/deno_serve.ts";
export { makeSession, makeUser, signedIn, type SignedInExtras } from "./factories.ts";
export { FakeClock, settle } from "./fake_clock.ts";
export type { SocketClosed } from "./fake_socket.ts";
export { FaultyLayer, type LayerFault } from "./layers/faulty_layer.ts";
export { testStreamStore, type TestStreamStoreOptions } from "./streams/test_stream_store.ts";
export type { TestTarget, TestTargetOptions } from "./under_test.ts";
export { testChannelLayer, type TestChannelLayerOptions } from "./layers/test_channel_layer.ts";
export {
  type CreateTestKeyValue,
  testKeyValue,
  type TestKeyValueOptions,
} from "./kv/test_key_value.ts";
