import type { ComponentType } from "preact";

/** A component that also runs in the browser. */
export interface Island {
  /** URL of its script, without the base path. */
  file: string;
  /** Its name on pages, unique within a build. */
  name: string;
  /** Its export name in the module. */
  exportName: string;
  fn: ComponentType;
}

/** A file to serve. */
export interface StaticFile {
  /** Hash of the content, or `null`. */
  hash: string | null;
  contentType: string;
  size: number;
  /** Opens the content. No file is open before. */
  open(): Promise<BodyInit>;
}

/** A file below `routes/`. */
export interface RouteFile {
  /** Its path in the folder, without extension: `/blog/[id]`. */
  id: string;
  /** Its module, validated on use. */
  module: unknown;
}

/** The result of a build: the files, routes and islands of an app. */
export interface Snapshot {
  root: string;
  /** Whether pages reload automatically and show errors. */
  dev: boolean;
  /** URL of the script that starts islands. */
  clientEntry: string;
  /** URL of the script that reloads the page in development. */
  devEntry?: string;
  islands: Map<unknown, Island>;
  routes: RouteFile[];
  readFile(pathname: string): Promise<StaticFile | null>;
}

/** The snapshot of an app that was never built. */
export function emptySnapshot(root: string): Snapshot {
  return {
    root,
    dev: false,
    clientEntry: "",
    islands: new Map(),
    routes: [],
    readFile: () => Promise.resolve(null),
  };
}
