/** The `config` export of a layout file. */
export interface LayoutConfig {
  /** Skip the layouts of parent folders. @default {false} */
  skipInheritedLayouts?: boolean;
  /** Skip the app wrapper. @default {false} */
  skipAppWrapper?: boolean;
}
