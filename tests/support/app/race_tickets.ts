import type { Hosts } from "./hosts.ts";
import type { HttpBrowser } from "./http_browser.ts";

/** Connections that present the same ticket at once. */
const RACERS = 8;

/** Tickets that are raced for at once. */
const AT_ONCE = 20;

/**
 * Presents each ticket on eight connections at once, over all processes. Returns how often each result
 * occurred: `upgraded`, or the code of the refusal.
 */
export async function raceTickets(
  hosts: Hosts,
  browser: HttpBrowser,
  { tickets }: { readonly tickets: number },
): Promise<ReadonlyMap<string, number>> {
  const results = new Map<string, number>();
  const show = async (ticket: string, turn: number) => {
    const result = await present(hosts, ticket, turn);
    results.set(result, (results.get(result) ?? 0) + 1);
  };
  for (let at = 0; at < tickets; at += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, tickets - at) }, () => request(browser));
    const racers = (await Promise.all(some)).flatMap((ticket) => {
      return Array.from({ length: RACERS }, (_, turn) => show(ticket, turn));
    });
    await Promise.all(racers);
  }
  return results;
}

async function request(browser: HttpBrowser): Promise<string> {
  const response = await browser.request("/api/tickets", {
    method: "POST",
    headers: { origin: browser.origin },
    body: '{"path":"/ws/echo"}',
  });
  return (await response.json()).ticket;
}

async function present(hosts: Hosts, ticket: string, turn: number): Promise<string> {
  const process = hosts.processes[turn % hosts.processes.length]!;
  try {
    const protocols = [`sluice.ticket.${ticket}`];
    using _socket = await hosts.open(process, "/ws/echo", { protocols });
    return "upgraded";
  } catch (refused) {
    return String((refused as { code?: string }).code ?? refused);
  }
}
