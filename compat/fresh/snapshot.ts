import type { ComponentType } from "preact";
import type { RouteFile } from "./routing/route_files.ts";

/** A component that also runs in the browser. */
export interface Island {
  /** Address of its script, without the base path. */
  file: string;
  /** Name under which a page refers to it; unique within a build. */
  name: string;
  /** Name under which its module exports it. */
  exportName: string;
  fn: ComponentType;
  /** Stylesheets it needs. */
  css: string[];
}

/** A file that can be served. */
export interface StaticFile {
  /** Hash of the content, or `null` where none was made. */
  hash: string | null;
  contentType: string;
  size: number;
  /** Opens the content; nothing is held open before. */
  open(): Promise<BodyInit>;
}

/** Everything a build knows: what an app serves its files, routes and islands from. */
export interface Snapshot {
  root: string;
  /** Whether pages reload by themselves and show errors. */
  dev: boolean;
  /** Address of the script that brings islands to life. */
  clientEntry: string;
  /** Address of the script that reloads the page, in development. */
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
