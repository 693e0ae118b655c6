/** The page: shows the room, and sends what the user writes. */
import { connect, type SocketState } from "@sluice/sluice/client";
import type { ChatMessages, Said } from "../server/chat.ts";

const STATUS: Readonly<Record<SocketState, string>> = {
  "connecting": "Connecting …",
  "live": "Connected",
  "reconnecting": "Connection lost. Connecting again …",
  "signed-out": "Sign in to join",
  "refused": "You may not enter this room",
  "closed": "Disconnected. Reload the page to connect again",
};

const signIn = find("sign-in", HTMLElement);
const signOut = find("sign-out", HTMLElement);
const status = find("status", HTMLElement);
const chat = find("chat", HTMLElement);
const messages = find("messages", HTMLOListElement);
const form = find("say", HTMLFormElement);
const text = find("text", HTMLInputElement);

// Handlers get each message once and in order, also those that were missed meanwhile.
const room = connect<ChatMessages>("/ws/chat/lobby", { streams: { room: { newest: 50 } } });
let ownId = "";

room.onState((state) => {
  const hasEnded = state === "signed-out" && ownId !== "";
  status.textContent = hasEnded ? "You are signed out" : STATUS[state];
  status.dataset.state = state;
  signIn.hidden = state !== "signed-out";
  chat.hidden = signOut.hidden = ["signed-out", "refused"].includes(state);
  // The next user of this browser may not read them.
  if (chat.hidden) messages.replaceChildren();
});

room.on("welcome", ({ you }) => {
  ownId = you.id;
  find("you", HTMLElement).textContent = you.name;
});

room.on("said", (said) => {
  const isAtEnd = messages.scrollTop + messages.clientHeight > messages.scrollHeight - 48;
  messages.append(toItem(said));
  if (isAtEnd) messages.scrollTop = messages.scrollHeight;
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const written = text.value;
  if (written.trim() === "") return;
  text.value = "";
  try {
    // Sent again after a reconnect, until it is answered; takes effect once.
    await room.request("say", { text: written }, { once: true });
  } catch {
    status.textContent = "Your message was not sent";
    text.value ||= written;
  }
});

function toItem({ user, text, at }: Said): HTMLLIElement {
  const item = document.createElement("li");
  if (user.id === ownId) item.className = "own";
  const head = document.createElement("p");
  head.className = "head";
  const time = document.createElement("time");
  time.dateTime = at;
  time.textContent = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const name = document.createElement("strong");
  name.textContent = user.name;
  head.append(name, " ", time);
  const body = document.createElement("p");
  body.textContent = text; // Never as HTML: other users have written it.
  item.append(head, body);
  return item;
}

function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`The page has no ${type.name} #${id}`);
}
