import { serve } from "@sluice/sluice/bun";
import { handle, options } from "./application.js";

serve(handle, options);
