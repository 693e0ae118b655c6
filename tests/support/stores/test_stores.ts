import { KvAuditStore } from "../../../lib/auth/audit/kv_audit_store.ts";
import { DevAdapter } from "../../../lib/auth/dev/_adapter.ts";
import { KvDeviceGrantStore } from "../../../lib/auth/device/kv_device_grant_store.ts";
import { KvUserStore } from "../../../lib/auth/mod.ts";
import { KvTransactionStore } from "../../../lib/auth/oauth/kv_transaction_store.ts";
import { KvTicketStore } from "../../../lib/auth/tickets/kv_ticket_store.ts";
import type { KeyValue } from "../../../lib/kv/mod.ts";
import { KvControlLog } from "../../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../../lib/sessions/kv_session_store.ts";
import { testAuditStore } from "./test_audit_store.ts";
import { testDeviceGrantStore } from "./test_device_grant_store.ts";
import { testSessionStore } from "../../../lib/testing/stores/test_session_store.ts";
import { testTicketStore } from "./test_ticket_store.ts";
import { testTransactionStore } from "./test_transaction_store.ts";
import { testUserStore } from "../../../lib/testing/stores/test_user_store.ts";
import { testControlLog } from "./test_control_log.ts";
import { testDevAdapter } from "./test_dev_adapter.ts";
import { testSocketCounts } from "./test_socket_counts.ts";
import type { SuiteOptions } from "../../../lib/testing/bed.ts";

/** Runs the suites of all stores over a driver. `open` returns an empty database for each test. */
export function testStores(
  driver: string,
  open: () => KeyValue | Promise<KeyValue>,
  options: SuiteOptions = {},
): void {
  const over = (store: string) => `${store} over ${driver}`;
  testSessionStore(
    over("KvSessionStore"),
    async (clock) => new KvSessionStore(await open(), { clock }),
    options,
  );
  testSessionStore(
    over("KvSessionStore with a control log"),
    async (clock) => {
      const kv = await open();
      return new KvSessionStore(kv, { clock, controlLog: new KvControlLog(kv) });
    },
    options,
  );
  testUserStore(
    over("KvUserStore"),
    async (clock) => {
      const kv = await open();
      return new KvUserStore(kv, { clock, controlLog: new KvControlLog(kv) });
    },
    options,
  );
  testTransactionStore(
    over("KvTransactionStore"),
    async (clock) => new KvTransactionStore(await open(), { clock }),
    options,
  );
  testTicketStore(
    over("KvTicketStore"),
    async (clock) => new KvTicketStore(await open(), { clock }),
    options,
  );
  testDeviceGrantStore(
    over("KvDeviceGrantStore"),
    async (clock) => new KvDeviceGrantStore(await open(), { clock }),
    options,
  );
  testAuditStore(
    over("KvAuditStore"),
    async (clock) => new KvAuditStore(await open(), { clock }),
    options,
  );
  testControlLog(
    over("KvControlLog"),
    async () => {
      const kv = await open();
      return { here: new KvControlLog(kv), there: new KvControlLog(kv) };
    },
    options,
  );
  testSocketCounts(over("KvSocketCounts"), open, options);
  testDevAdapter(over("DevAdapter"), async () => new DevAdapter(await open(), "Grant"), options);
}
