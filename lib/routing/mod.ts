/**
 * Routing: which consumer serves which path.
 *
 * @module
 */
export {
  compilePattern,
  type Converters,
  type PathMatch,
  type PathParams,
  type PathPattern,
} from "./pattern.ts";
export { type ConsumerClass, type Needs, type Route, route, router } from "./router.ts";
