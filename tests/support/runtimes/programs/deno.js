import { serve } from "@sluice/sluice/deno";
import { handle, options } from "./application.js";

serve(handle, options);
