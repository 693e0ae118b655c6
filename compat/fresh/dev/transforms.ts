import { assetUrl } from "../asset.ts";

/** Which static files a transform is for. */
export interface OnTransformOptions {
  /** Named in errors. */
  pluginName: string;
  filter: RegExp;
  /** Paths that are left alone: patterns, or text they contain. */
  exclude?: (string | RegExp)[];
}

/** What a transform is given. */
export interface OnTransformArgs {
  path: string;
  target: string | string[];
  /** The content as text. */
  text: string;
  content: Uint8Array;
  mode: "development" | "production";
  root: string;
}

/** What becomes of a file. */
export interface OnTransformResult {
  content: string | Uint8Array;
  path?: string;
  map?: string | Uint8Array;
}

type Outcome = void | OnTransformResult | (OnTransformResult & { path: string })[];

/** Changes a static file, or makes several of it. */
export type TransformFn = (args: OnTransformArgs) => Outcome | Promise<Outcome>;

type Source = Pick<OnTransformArgs, "path" | "content">;

/** The transforms of a builder; the first lets stylesheets name files as of this build. */
export class Transforms {
  #all: { options: OnTransformOptions; transform: TransformFn }[] = [
    { options: { pluginName: "css", filter: /\.css$/ }, transform: lockUrls },
  ];

  /** Adds a transform; it sees what those before it have made. */
  add(options: OnTransformOptions, transform: TransformFn): void {
    this.#all.push({ options, transform });
  }

  /** Whether any transform is for a path. */
  concern(path: string): boolean {
    return this.#all.some(({ options }) => isFor(options, path));
  }

  /** Runs every transform that is for a file, and for the files made of it. */
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
      throw new Error(`"${pluginName}" returns several files, so each of them needs a path`);
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
