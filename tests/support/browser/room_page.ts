import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import type { TestBrowser } from "./browser.ts";
import type { LiveApp } from "../app/live_app.ts";

/** A room in a browser window, as a user sees it. */
export class RoomPage {
  readonly page: Page;
  /** Errors of the page's scripts, and violations of its policy. */
  readonly problems: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.problems.push(message.text());
    });
  }

  /** Opens a separate window, signs in as `login`, and waits until the room is live. */
  static async enter(
    browser: TestBrowser,
    app: LiveApp,
    login: string,
    options: BrowserContextOptions & { room?: string } = {},
  ): Promise<RoomPage> {
    const { room = "lobby", ...context } = options;
    const window = await browser.newContext(context);
    const view = new RoomPage(await window.newPage());
    const query = new URLSearchParams({ login_hint: login, return_to: `/rooms/${room}` });
    await view.page.goto(`${app.origin}/auth/signin?${query}`);
    await view.waitForState("live");
    return view;
  }

  get log(): Locator {
    return this.page.getByRole("log");
  }

  get composer(): Locator {
    return this.page.getByLabel(/^Message to/);
  }

  /** Opens another tab of the same window, for the same user. */
  newTab(): Promise<Page> {
    return this.page.context().newPage();
  }

  /** Waits until the page shows this connection state. */
  async waitForState(state: string): Promise<void> {
    await this.page.locator(`[role=status][data-state=${state}]`).waitFor();
  }

  /** Writes a message and presses Enter. */
  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  /** Returns the messages with exactly this text and this status. */
  message(text: string, status = "sent"): Locator {
    const exactly = this.page.locator(".text").getByText(text, { exact: true });
    return this.log.locator(`article[data-status=${status}]`).filter({ has: exactly });
  }

  /** Waits until a message with this text is shown. */
  async waitForMessage(text: string, status?: string): Promise<void> {
    await this.message(text, status).waitFor();
  }

  /** The list of users in the room. */
  get people(): Locator {
    return this.page.getByRole("complementary").getByRole("listitem");
  }

  /** Waits until the room has `count` users. */
  async waitForPeople(count: number): Promise<void> {
    await this.people.nth(count - 1).waitFor();
    await this.people.nth(count).waitFor({ state: "detached" });
  }

  /** Returns by how much the page is wider than its window, in pixels. */
  overflow(): Promise<number> {
    return this.page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    });
  }
}
