import { define } from "../app/http/define.ts";
import { answerError } from "../app/pages/answer_error.tsx";

/**
 * Answers failed requests. Fresh's error pages are rendered outside all middleware, so they would
 * lack the security headers.
 */
export default define.middleware(async (ctx) => {
  try {
    return await ctx.next();
  } catch (error) {
    return await answerError(ctx, error);
  }
});
