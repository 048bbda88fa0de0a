/* Makes elements. Words of messages only ever become text nodes. */

import { locale, say } from "./labels.js";

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: attributes, `on…` listeners, then children; strings become text. */
export function el(name, about = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(about)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && typeof value !== "string") made[key] = value;
    else made.setAttribute(key === "className" ? "class" : key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/page/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

export const iconButton = (name, label, onclick, about = {}) =>
  el("button", { type: "button", className: "round", title: label, "aria-label": label, onclick, ...about }, icon(name));

/** A round letter in a colour that stays with the id. */
export const avatar = (name, id) =>
  el("span", { className: `avatar tone${Math.abs(id) % 7}`, "aria-hidden": "true" }, [...name.trim()][0] ?? "?");

export const clock = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", hour12: false });

export function day(seconds) {
  const date = new Date(seconds * 1000);
  if (date.toDateString() === new Date().toDateString()) return say("today");
  return date.toLocaleDateString(locale(), { month: "long", day: "numeric" });
}

export const bytes = (size) =>
  size < 1024 ? `${size} B` : size < 1048576 ? `${(size / 1024).toFixed(1)} KB` : `${(size / 1048576).toFixed(1)} MB`;

const LINK = /^(?:https?:\/\/)?(?:t|telegram)\.me\/([A-Za-z]\w{3,31})(?:\?start=([\w-]{0,64}))?$/;

/** Read a link into a chat with a bot, if it is one. */
export function deepLink(url) {
  const found = LINK.exec(url);
  return found && { username: found[1], payload: found[2] ?? "" };
}

/** Make a link that opens a chat here, or an ordinary one that opens a new tab. */
export function link(url, text, follow) {
  if (deepLink(url)) {
    return el("a", { href: url, onclick: (event) => { event.preventDefault(); follow(deepLink(url)); } }, text);
  }
  const address = /^\w+:/.test(url) ? url : `https://${url}`;
  if (!/^https?:/.test(address)) return el("span", {}, text);
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);
}

const STYLES = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "code", spoiler: "span", blockquote: "q",
};

/** Turn a text and its entities into nodes. Offsets count UTF-16 units, as JavaScript does. */
export function rich(text, entities, { follow, command }) {
  const edges = new Set([0, text.length]);
  for (const { offset, length } of entities) edges.add(offset).add(offset + length);
  const cuts = [...edges].sort((one, other) => one - other);
  return cuts.slice(0, -1).map((start, index) => {
    const words = text.slice(start, cuts[index + 1]);
    let node = document.createTextNode(words);
    for (const { type, offset, length, url } of entities) {
      if (offset > start || offset + length <= start) continue;
      if (type === "url" || type === "text_link") node = link(url ?? text.slice(offset, offset + length), node, follow);
      else if (type === "bot_command") {
        const whole = text.slice(offset, offset + length);
        node = el("button", { type: "button", className: "command", onclick: () => command(whole) }, node);
      } else if (STYLES[type]) node = el(STYLES[type], { className: type }, node);
      else node = el("span", { className: type }, node);
    }
    return node;
  });
}

/** Draw a file of a message. */
export function media(about) {
  if (about.kind === "photo") {
    const { width, height } = about;
    return el("img", { className: "photo", src: about.url, alt: say("photo"), width: String(width), height: String(height), loading: "lazy" });
  }
  if (about.kind === "sticker") return el("img", { className: "sticker", src: about.url, alt: about.emoji ?? "", width: "96", height: "96" });
  if (about.kind === "voice") {
    const bars = Array.from({ length: 26 }, (_, at) => el("i", { className: `bar${(at * 7 + about.size) % 5}` }));
    return el("div", { className: "voice" }, el("span", { className: "disc" }, icon("play")),
      el("span", { className: "wave" }, ...bars), el("small", {}, `0:${String((about.duration ?? Math.ceil(about.size / 3000)) % 60).padStart(2, "0")}`));
  }
  return el("a", { className: "file", href: about.url, download: about.name },
    el("span", { className: "disc" }, icon("file")),
    el("span", { className: "about" }, el("b", {}, about.name), el("small", {}, bytes(about.size))));
}

/** Draw a place. */
export const place = ({ latitude, longitude }, name = "") =>
  el("div", { className: "card" }, el("span", { className: "disc" }, icon("pin")),
    el("span", { className: "about" }, el("b", {}, name || say("place")), el("small", {}, `${latitude}, ${longitude}`)));

function service(told) {
  const [kind, ...names] = told.split(" ");
  const who = names.join(" ");
  if (kind === "new_chat_members") return `${who} ${say("joined")}`;
  if (kind === "left_chat_member") return `${who} ${say("leftGroup")}`;
  return say(kind === "migrate_to_chat_id" ? "upgraded" : "from");
}

/** Draw one message as the phone of `viewer` shows it. */
export function drawMessage(message, { viewer, original, inGroup, acts }) {
  if (message.service) return el("div", { className: "service", "data-id": String(message.id) }, service(message.service));
  if (message.deleted) {
    return el("div", { className: "service deleted", "data-id": String(message.id) }, say("deleted"));
  }
  const own = message.sender.id === viewer;
  const bubble = el("div", { className: "bubble" });
  if (inGroup && !own) {
    bubble.append(el("b", { className: `sender tone${Math.abs(message.sender.id) % 7}` }, message.sender.name));
  }
  if (original) {
    bubble.append(el("button", { type: "button", className: "quote", onclick: () => acts.show(original.id) },
      el("b", {}, original.sender.name), el("span", {}, original.deleted ? say("deleted") : original.text || say(original.media?.kind ?? "file"))));
  }
  if (message.media) bubble.append(media(message.media));
  if (message.contact) {
    bubble.append(el("div", { className: "card" }, avatar(message.contact.first_name, message.id),
      el("span", { className: "about" }, el("b", {}, message.contact.first_name), el("small", {}, message.contact.phone_number))));
  }
  if (message.location) bubble.append(place(message.location));
  if (message.text) bubble.append(el("div", { className: "words" }, ...rich(message.text, message.entities, acts)));
  const before = message.versions.map((version) => `${say("original")}: ${version.text}`).join("\n");
  bubble.append(el("span", { className: "meta" },
    message.edited && el("span", { title: before }, say("edited")),
    el("time", { datetime: new Date(message.date * 1000).toISOString() }, clock(message.date)),
    own && icon(message.delivered ? "checks" : "check")));
  const actions = el("div", { className: "actions" },
    el("button", { type: "button", onclick: () => acts.reply(message) }, say("reply")),
    own && message.text && el("button", { type: "button", onclick: () => acts.edit(message) }, say("edit")),
    own && el("button", { type: "button", onclick: () => acts.remove(message) }, say("remove")));
  const keyboard = message.keyboard.length > 0 && el("div", { className: "keyboard" },
    ...message.keyboard.map((row) => el("div", { className: "row" }, ...row.map((button) =>
      el("button", {
        type: "button", className: button.url ? "url" : "", "data-data": button.callback_data,
        onclick: (event) => acts.press(message, button, event.currentTarget),
      }, button.text)))));
  return el("article", {
    className: `message ${own ? "own" : "other"}${message.media ? ` has-${message.media.kind}` : ""}${message.text ? "" : " wordless"}${message.contact || message.location ? " carries" : ""}`,
    "data-id": String(message.id), tabindex: "0", "aria-label": message.sender.name,
  }, el("div", { className: "stack" }, bubble, keyboard), actions);
}
