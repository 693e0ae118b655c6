import { serve } from "@sluice/sluice/node";
import { handle, options } from "./application.js";

serve(handle, options);
