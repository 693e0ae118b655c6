import { assetUrl } from "../build/asset.ts";

/** Selects the static files of a transform. */
export interface OnTransformOptions {
  /** The name of the transform in errors. */
  pluginName: string;
  filter: RegExp;
  /** Excluded paths: patterns, or text that they contain. */
  exclude?: (string | RegExp)[];
}

/** The input of a transform. */
export interface OnTransformArgs {
  path: string;
  target: string | string[];
  /** The content as text. */
  text: string;
  content: Uint8Array;
  mode: "development" | "production";
  root: string;
}

/** The output of a transform. */
export interface OnTransformResult {
  content: string | Uint8Array;
  path?: string;
  map?: string | Uint8Array;
}

type Outcome = void | OnTransformResult | (OnTransformResult & { path: string })[];

/** Transforms a static file into one or several files. */
export type TransformFn = (args: OnTransformArgs) => Outcome | Promise<Outcome>;

type Source = Pick<OnTransformArgs, "path" | "content">;

/** The transforms of a builder. The first adds the build id to URLs in stylesheets. */
export class Transforms {
  #all: { options: OnTransformOptions; transform: TransformFn }[] = [
    { options: { pluginName: "css", filter: /\.css$/ }, transform: lockUrls },
  ];

  /** Adds a transform, which receives the output of earlier ones. */
  add(options: OnTransformOptions, transform: TransformFn): void {
    this.#all.push({ options, transform });
  }

  /** Returns whether a transform applies to a path. */
  concern(path: string): boolean {
    return this.#all.some(({ options }) => isFor(options, path));
  }

  /** Runs all transforms that apply to a file, and to its output files. */
  async run(
    source: Source,
    context: Pick<OnTransformArgs, "mode" | "root" | "target">,
  ): Promise<Source[]> {
    let files = [source];
    for (const { options, transform } of this.#all) {
      const outcomes = files.map(async (file) => {
        if (!isFor(options, file.path)) return [file];
        const text = new TextDecoder().decode(file.content);
        return toSources(file, await transform({ ...context, ...file, text }), options);
      });
      files = (await Promise.all(outcomes)).flat();
    }
    return files;
  }
}

function isFor({ filter, exclude = [] }: OnTransformOptions, path: string): boolean {
  filter.lastIndex = 0;
  return filter.test(path) &&
    !exclude.some((part) => typeof part === "string" ? path.includes(part) : part.test(path));
}

function toSources(file: Source, outcome: Outcome, { pluginName }: OnTransformOptions): Source[] {
  if (!outcome) return [file];
  return [outcome].flat().map(({ content, path = file.path }) => {
    if (Array.isArray(outcome) && !path) {
      throw new Error(`"${pluginName}" returns several files: each of them needs a path`);
    }
    return {
      path,
      content: typeof content === "string" ? new TextEncoder().encode(content) : content,
    };
  });
}

function lockUrls({ text }: OnTransformArgs): OnTransformResult {
  const content = text.replaceAll(/url\(\s*(["']?)([^"')]+)\1\s*\)/g, (_, _quote, url) => {
    return `url(${JSON.stringify(assetUrl(url.trim()))})`;
  });
  return { content };
}
