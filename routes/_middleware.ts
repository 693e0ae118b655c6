import { define } from "../app/define.ts";
import { answerError } from "./(_errors)/answer_error.tsx";

/**
 * Answers what fails below it. It does so here, and not on Fresh's error pages, as those are made
 * outside of all middlewares: they would go out without the security headers.
 */
export default define.middleware(async (ctx) => {
  try {
    return await ctx.next();
  } catch (error) {
    return await answerError(ctx, error);
  }
});
