/** Upstream tests that do not apply to Sluice, by reason, as `file.py::test`. */
export const NO_MEANING: readonly (readonly [reason: string, tests: readonly string[]])[] = [
  [
    "Databases are used through promises: there are no threads, and no connections to close by hand.",
    [
      "channels/test_database.py::test_websocket",
      "channels/test_database.py::test_http",
    ],
  ],
  [
    "Deletes a message on a page of the sample project, which has no equivalent in this app.",
    [
      "channels/sample_project/tests/test_selenium.py::test_real_time_delete_message",
    ],
  ],
  [
    "Layers are objects passed to `withLayer()`, not dotted names in settings; a wrong one does not compile.",
    [
      "channels/test_layers.py::test_config_error",
      "channels/test_layers.py::test_config_instance",
      "channels/test_layers.py::test_backend_import_error_not_hidden",
    ],
  ],
  [
    "Deprecated upstream.",
    [
      "channels/test_layers.py::test_deprecated_valid_channel_name",
      "channels/test_layers.py::test_deprecated_valid_group_name",
    ],
  ],
  [
    "There is one event loop, and no `async_to_sync`.",
    [
      "channels_redis/test_core.py::test_double_receive",
      "channels_redis/test_core.py::test_repeated_group_send_with_async_to_sync",
      "channels_redis/test_pubsub.py::test_send_receive_sync",
      "channels_redis/test_pubsub.py::test_multi_send_receive_sync",
      "channels_redis/test_pubsub.py::test_loop_instance_channel_layer_reference",
      "channels_redis/test_pubsub.py::test_multi_event_loop_garbage_collection",
      "channels_redis/test_pubsub.py::test_proxied_methods_coroutine_check",
    ],
  ],
  [
    "Redis Cluster shards; the client does not hash.",
    [
      "channels_redis/test_core.py::test_groups_multiple_hosts",
      "channels_redis/test_core.py::test_groups_multiple_hosts_performance",
      "channels_redis/test_utils.py::test_consistent_hash_result",
    ],
  ],
  [
    "States the internal keys and prefixes of upstream's driver.",
    [
      "channels_redis/test_core.py::test_reject_bad_client_prefix",
      "channels_redis/test_core.py::test_default_group_key_format",
      "channels_redis/test_core.py::test_custom_group_key_format",
      "channels_redis/test_core.py::test_message_expiry__group_send__one_channel_expires_message",
    ],
  ],
  [
    "JSON is the only format; there is nothing to register.",
    [
      "channels_redis/test_serializers.py::test_refuse_to_register_bad_serializers",
      "channels_redis/test_serializers.py::test_raise_error_for_unregistered_serializer",
      "channels_redis/test_serializers.py::test_register_custom_serializer",
    ],
  ],
  [
    "Separate tests with Redis cover the cipher of the Redis driver.",
    [
      "channels_redis/test_serializers.py::test_serialization_encrypted",
    ],
  ],
  [
    "Twisted, autobahn and Python's packaging.",
    [
      "daphne/test_checks.py::test_check_daphne_installed",
      "daphne/test_cli.py::test_default_executor",
      "daphne/test_http_protocol.py::test_web_request_initialisation",
      "daphne/test_packaging.py::test_fd_endpoint_plugin_installed",
    ],
  ],
  [
    "Twisted's endpoint descriptions. Sluice has `HOST` and `PORT`, which `tests/app/settings_test.ts` checks; no Unix sockets or file descriptors.",
    [
      "daphne/test_cli.py::testBasics",
      "daphne/test_cli.py::testTcpPortBindings",
      "daphne/test_cli.py::testUnixSocketBinding",
      "daphne/test_cli.py::testFileDescriptorBinding",
      "daphne/test_cli.py::testMultipleEnpoints",
      "daphne/test_cli.py::testCLIBasics",
      "daphne/test_cli.py::testUnixSockets",
      "daphne/test_cli.py::testMixedCLIEndpointCreation",
      "daphne/test_cli.py::testCustomEndpoints",
    ],
  ],
  [
    "The headers of a trusted proxy have fixed names; no `Server` header is sent.",
    [
      "daphne/test_cli.py::test_custom_proxyhost",
      "daphne/test_cli.py::test_custom_proxyport",
      "daphne/test_cli.py::test_custom_servername",
      "daphne/test_cli.py::test_no_servername",
    ],
  ],
  [
    "The runtime accepts frames of up to 64 MiB and has no option for less; the message limit applies.",
    [
      "daphne/test_websocket.py::test_websocket_max_frame_size",
    ],
  ],
  [
    "The same driver with Redis Sentinel, which Sluice does not use: Redis Cluster fails over by itself.",
    [
      "channels_redis/test_pubsub_sentinel.py::test_send_receive",
      "channels_redis/test_pubsub_sentinel.py::test_send_receive_sync",
      "channels_redis/test_pubsub_sentinel.py::test_multi_send_receive",
      "channels_redis/test_pubsub_sentinel.py::test_multi_send_receive_sync",
      "channels_redis/test_pubsub_sentinel.py::test_groups_basic",
      "channels_redis/test_pubsub_sentinel.py::test_groups_same_prefix",
      "channels_redis/test_pubsub_sentinel.py::test_random_reset__channel_name",
      "channels_redis/test_pubsub_sentinel.py::test_loop_instance_channel_layer_reference",
      "channels_redis/test_pubsub_sentinel.py::test_serialize",
      "channels_redis/test_pubsub_sentinel.py::test_deserialize",
      "channels_redis/test_pubsub_sentinel.py::test_multi_event_loop_garbage_collection",
      "channels_redis/test_pubsub_sentinel.py::test_receive_hang",
      "channels_redis/test_pubsub_sentinel.py::test_auto_reconnect",
      "channels_redis/test_sentinel.py::test_send_receive",
      "channels_redis/test_sentinel.py::test_double_receive",
      "channels_redis/test_sentinel.py::test_send_capacity",
      "channels_redis/test_sentinel.py::test_send_specific_capacity",
      "channels_redis/test_sentinel.py::test_process_local_send_receive",
      "channels_redis/test_sentinel.py::test_multi_send_receive",
      "channels_redis/test_sentinel.py::test_reject_bad_channel",
      "channels_redis/test_sentinel.py::test_reject_bad_client_prefix",
      "channels_redis/test_sentinel.py::test_groups_basic",
      "channels_redis/test_sentinel.py::test_groups_channel_full",
      "channels_redis/test_sentinel.py::test_groups_multiple_hosts",
      "channels_redis/test_sentinel.py::test_groups_same_prefix",
      "channels_redis/test_sentinel.py::test_groups_multiple_hosts_performance",
      "channels_redis/test_sentinel.py::test_group_send_capacity",
      "channels_redis/test_sentinel.py::test_group_send_capacity_multiple_channels",
      "channels_redis/test_sentinel.py::test_receive_cancel",
      "channels_redis/test_sentinel.py::test_random_reset__channel_name",
      "channels_redis/test_sentinel.py::test_random_reset__client_prefix",
      "channels_redis/test_sentinel.py::test_message_expiry__earliest_message_expires",
      "channels_redis/test_sentinel.py::test_message_expiry__all_messages_under_expiration_time",
      "channels_redis/test_sentinel.py::test_message_expiry__group_send",
      "channels_redis/test_sentinel.py::test_message_expiry__group_send__one_channel_expires_message",
      "channels_redis/test_sentinel.py::test_default_group_key_format",
      "channels_redis/test_sentinel.py::test_custom_group_key_format",
      "channels_redis/test_sentinel.py::test_receive_buffer_respects_capacity",
      "channels_redis/test_sentinel.py::test_serialize",
      "channels_redis/test_sentinel.py::test_deserialize",
    ],
  ],
];
