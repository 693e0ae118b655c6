import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The same host name as the server, at another port: the browser sends the cookie of the session only
// to pages of the same site.
const address = { host: "127.0.0.1", port: 5173, strictPort: true };

export default defineConfig({ plugins: [react()], server: address, preview: address });
