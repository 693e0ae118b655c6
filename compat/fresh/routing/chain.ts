import type { Context } from "../context.ts";
import { requestUi } from "../http/request_ui.ts";

/** Answers a request, or passes it on with `ctx.next()`. */
export type Middleware<State> = (ctx: Context<State>) => Response | Promise<Response>;

/** A middleware, or a function that loads one at the first request. */
export type MaybeLazyMiddleware<State> = (
  ctx: Context<State>,
) => Response | Promise<Response | Middleware<State>>;

/** Combines middlewares: the `ctx.next()` of each calls the next one. */
export function chain<State>(links: MaybeLazyMiddleware<State>[]): Middleware<State> {
  const loaded = [...links];

  async function call(index: number, ctx: Context<State>): Promise<Response> {
    const result = await loaded[index](ctx);
    if (typeof result !== "function") return result;
    loaded[index] = result as MaybeLazyMiddleware<State>;
    return await (result as Middleware<State>)(ctx);
  }

  return (ctx) => {
    const end = ctx.next;
    const ui = requestUi(ctx);

    async function run(index: number): Promise<Response> {
      if (index === loaded.length) return await end();
      const { app, layouts } = ui;
      ctx.next = () => run(index + 1);
      try {
        return await call(index, ctx);
      } catch (error) {
        ctx.error = error;
        throw error;
      } finally {
        ui.app = app;
        ui.layouts = layouts;
      }
    }
    return run(0);
  };
}
