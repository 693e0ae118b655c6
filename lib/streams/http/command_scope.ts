import type { Connection } from "../../core/connection.ts";
import type { Scope } from "../../core/scope.ts";

/**
 * Returns the scope for a socket consumer that runs a command of a plain request. Frames that a handler
 * sends to its own client are dropped, because there is no socket; the reply is the response.
 */
export function commandScope<S extends Scope>(scope: S): S {
  const connection = withoutSocket(scope.connection);
  const path = scope.path.replace(/^\/streams\//, "/ws/");
  return new Proxy(scope, {
    get(target, key) {
      if (key === "connection") return connection;
      if (key === "path") return path;
      return Reflect.get(target, key, target);
    },
  });
}

function withoutSocket(connection: Connection): Connection {
  return new Proxy(connection, {
    get(target, key) {
      if (key === "send" || key === "sendFrame") return () => false;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
