/**
 * The test kit: consumers without a network, a server with one, test users and sessions, a layer with
 * faults, and a clock under the test's control.
 *
 * @module
 */
export { communicate, Communicator } from "./communicate.ts";
export { communicateHttp, HttpCommunicator } from "./communicate_http.ts";
export { startServer } from "./deno/deno_serve.ts";
export { signedIn } from "./factories.ts";
export { FakeClock, settle } from "./fake_clock.ts";
export { FaultyLayer } from "./layers/faulty_layer.ts";
export { testStreamStore } from "./streams/test_stream_store.ts";
export { testChannelLayer } from "./layers/test_channel_layer.ts";
export { testKeyValue } from "./kv/test_key_value.ts";
export { testSessionStore } from "./stores/test_session_store.ts";
export { testUserStore } from "./stores/test_user_store.ts";
