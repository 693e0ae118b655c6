import type { Upstream } from "../conforms.ts";

/** A test outside this folder: its file, and its title or the beginning of the title. */
export type Place = readonly [file: string, sentence: string];

const CHANNELS = "lib/testing/layers/layer_channel_tests.ts";
const GROUPS = "lib/testing/layers/layer_group_tests.ts";
const MESSAGES = "lib/testing/layers/layer_message_tests.ts";
const NAMES = "lib/testing/layers/layer_name_tests.ts";
const LOSS = "lib/testing/layers/layer_loss_tests.ts";

const SEND: Place = [CHANNELS, "[S8] send() reaches only the named channel"];
const FULL: Place = [CHANNELS, "[S9] send() to a full channel rejects, and queued messages stay"];
const CAPACITY: Place = [
  CHANNELS,
  "[S9] the capacity is 100 by default, and the first matching pattern decides",
];
const MAILBOX: Place = [CHANNELS, "[S6] a mailbox receives queued messages, then new ones"];
const LINE: Place = [CHANNELS, "[S7] each message goes to one of the waiting receivers"];
const ABORTED: Place = [CHANNELS, "[S7] an aborted receive() takes no message"];
const WAITS: Place = [CHANNELS, "[S7] receive() waits for a message"];
const EXPIRES: Place = [CHANNELS, "[S10] a queued message is dropped after its expiry"];
const EXPIRED: Place = [CHANNELS, "[S10] a reader does not receive expired messages"];
const COUNTS: Place = [
  GROUPS,
  "[S15] groupSend() counts delivered, queued and dropped messages",
];
const OVERLOAD: Place = [GROUPS, "[S15] at three times its capacity, sent = delivered + dropped"];
const MEMBERS: Place = [GROUPS, "[S13] a channel added twice receives a message once"];
const DISCARD: Place = [GROUPS, "[S13] groupDiscard() removes a channel from one group only"];
const DURABLE: Place = [GROUPS, "[S13] durable channels can be members"];
const BAD_CHANNEL: Place = [NAMES, "[S1] invalid channel names are refused with a TypeError"];
const BAD_GROUP: Place = [NAMES, "[S1] invalid group names are refused with a TypeError"];
const NEW_NAMES: Place = [
  NAMES,
  "[S2] newChannel() returns names that are unique in the whole system",
];
const PLAIN: Place = [MESSAGES, "[S3] plain data arrives unchanged"];
const CLOSE: Place = [LOSS, "[S23] close() ends every wait and refuses new calls"];

/**
 * Upstream tests that are covered outside this folder: for layers by the suite of every driver
 * (`testChannelLayer()`), for origins by the table of rules, and those that need a browser.
 */
export const ELSEWHERE: Readonly<Partial<Record<Upstream, Place>>> = {
  "channels/sample_project/tests/test_selenium.py::test_real_time_create_message": [
    "tests/e2e/requests/chat_test.ts",
    "two users talk in a room: welcome, joined, said with its reply, left",
  ],
  "channels/security/test_websocket.py::test_origin_validator": [
    "tests/security/origins_test.ts",
    "the rule ${rule} ${isAllowed",
  ],
  "channels/test_inmemorychannel.py::test_send_receive": SEND,
  "channels/test_inmemorychannel.py::test_race_empty": ABORTED,
  "channels/test_inmemorychannel.py::test_send_capacity": FULL,
  "channels/test_inmemorychannel.py::test_process_local_send_receive": MAILBOX,
  "channels/test_inmemorychannel.py::test_multi_send_receive": LINE,
  "channels/test_inmemorychannel.py::test_groups_basic": DISCARD,
  "channels/test_inmemorychannel.py::test_groups_channel_full": COUNTS,
  "channels/test_inmemorychannel.py::test_expiry_single": EXPIRES,
  "channels/test_inmemorychannel.py::test_expiry_unread": EXPIRED,
  "channels/test_inmemorychannel.py::test_expiry_multi": EXPIRES,
  "channels/test_layers.py::test_send_receive": PLAIN,
  "channels/test_layers.py::test_channel_and_group_name_validation": BAD_CHANNEL,
  "channels/test_layers.py::test_group_name_length_error_message": BAD_GROUP,
  "channels/test_layers.py::test_channel_name_length_error_message": BAD_CHANNEL,
  "channels_redis/test_core.py::test_send_receive": SEND,
  "channels_redis/test_core.py::test_send_capacity": FULL,
  "channels_redis/test_core.py::test_send_specific_capacity": CAPACITY,
  "channels_redis/test_core.py::test_process_local_send_receive": MAILBOX,
  "channels_redis/test_core.py::test_multi_send_receive": LINE,
  "channels_redis/test_core.py::test_reject_bad_channel": BAD_CHANNEL,
  "channels_redis/test_core.py::test_groups_basic": DISCARD,
  "channels_redis/test_core.py::test_groups_channel_full": COUNTS,
  "channels_redis/test_core.py::test_groups_same_prefix": MEMBERS,
  "channels_redis/test_core.py::test_group_send_capacity": OVERLOAD,
  "channels_redis/test_core.py::test_group_send_capacity_multiple_channels": OVERLOAD,
  "channels_redis/test_core.py::test_receive_cancel": ABORTED,
  "channels_redis/test_core.py::test_random_reset__channel_name": NEW_NAMES,
  "channels_redis/test_core.py::test_random_reset__client_prefix": NEW_NAMES,
  "channels_redis/test_core.py::test_message_expiry__earliest_message_expires": EXPIRES,
  "channels_redis/test_core.py::test_message_expiry__all_messages_under_expiration_time": MAILBOX,
  "channels_redis/test_core.py::test_message_expiry__group_send": EXPIRED,
  "channels_redis/test_core.py::test_receive_buffer_respects_capacity": FULL,
  "channels_redis/test_pubsub.py::test_layer_close": CLOSE,
  "channels_redis/test_pubsub.py::test_send_receive": SEND,
  "channels_redis/test_pubsub.py::test_multi_send_receive": LINE,
  "channels_redis/test_pubsub.py::test_groups_basic": DISCARD,
  "channels_redis/test_pubsub.py::test_groups_same_prefix": MEMBERS,
  "channels_redis/test_pubsub.py::test_receive_on_non_owned_general_channel": DURABLE,
  "channels_redis/test_pubsub.py::test_random_reset__channel_name": NEW_NAMES,
  "channels_redis/test_pubsub.py::test_serialize": PLAIN,
  "channels_redis/test_pubsub.py::test_deserialize": PLAIN,
  "channels_redis/test_pubsub.py::test_receive_hang": WAITS,
  "channels_redis/test_pubsub.py::test_auto_reconnect": [
    "tests/layers/redis/redis_faults_test.ts",
    "RedisChannelLayer restores all subscriptions after Redis closed the connection",
  ],
  "channels_redis/test_pubsub.py::test_discard_before_add": DISCARD,
  "channels_redis/test_serializers.py::test_serialize": PLAIN,
  "channels_redis/test_serializers.py::test_deserialize": PLAIN,
};
