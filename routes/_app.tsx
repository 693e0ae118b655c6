import { asset } from "fresh/runtime";
import { define } from "../app/http/define.ts";

const STYLES = [
  "/styles.css",
  "/parts.css",
  "/pages.css",
  "/people.css",
  "/messages.css",
  "/room.css",
];

/** The document around every page. */
export default define.page(function Document({ Component }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          name="viewport"
          content="width=device-width, initial-scale=1, interactive-widget=resizes-content"
        />
        <meta name="color-scheme" content="light dark" />
        <title>Sluice</title>
        <link rel="icon" href={asset("/favicon.svg")} type="image/svg+xml" />
        {STYLES.map((path) => <link key={path} rel="stylesheet" href={asset(path)} />)}
      </head>
      <body>
        <Component />
      </body>
    </html>
  );
});
