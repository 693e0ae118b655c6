import { asset } from "fresh/runtime";
import { define } from "../app/define.ts";

/** The document around every page. */
export default define.page(function Document({ Component }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Sluice</title>
        <link rel="icon" href={asset("/favicon.svg")} type="image/svg+xml" />
        <link rel="stylesheet" href={asset("/styles.css")} />
        <link rel="stylesheet" href={asset("/pages.css")} />
        <link rel="stylesheet" href={asset("/room.css")} />
      </head>
      <body>
        <Component />
      </body>
    </html>
  );
});
