/* The phones of WeChat and WeCom. A person follows one account, or works with one app; nothing is edited or quoted. */

import { avatar, clock, day, el, icon, media, place } from "./draw.js";
import { people } from "./known.js";
import { say } from "./labels.js";
import { Phone } from "./phone.js";

const LINK = /<a\s[^>]*?href=["']([^"']+)["'][^>]*>([\s\S]*?)<\/a>|(https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+)/gi;
const PAGE = /^https?:/i;
const SILENCE = 300;

/** Make a link that opens a new tab; what is no page is only words. */
function tappable(url, ...shown) {
  if (!PAGE.test(url)) return el("span", {}, ...shown);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...shown);
}

/** Turn a text into nodes: an `<a>` that was written into it, or an address, can be tapped. */
function linked(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(LINK)) {
    const [whole, href, label, address] = found;
    nodes.push(text.slice(end, found.index), tappable(href ?? address, label ?? address));
    end = found.index + whole.length;
  }
  return [...nodes, text.slice(end)];
}

/** Draw a page somebody points to. */
const pointer = ({ title, description, url }) => el("div", { className: "page" },
  tappable(url, el("b", {}, title || url), description && el("small", {}, description)));

/** Draw what has a title, names with their values, and leads somewhere. */
function sheet({ title, below, rows, url }) {
  return [
    el("div", { className: "words" },
      title && el("b", { className: "headline" }, title),
      below && el("div", { className: "below" }, ...linked(below)),
      rows.length > 0 && el("dl", { className: "facts" }, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]))),
    url && el("div", { className: "further" }, tappable(url, say("details"))),
  ];
}

/** Draw a notice, whose text is a title and lines of names and values. */
function notice({ text, link }) {
  const [title, ...lines] = text.split("\n");
  return sheet({ title, rows: lines.map((line) => /^([^:：]+)[:：]\s?(.*)$/.exec(line)?.slice(1) ?? ["", line]), url: link?.url });
}

/** Draw a template card of WeCom, without its buttons. */
function card({ main_title: main, emphasis_content: emphasis, quote_area: quote, sub_title_text: below, ...more }) {
  const lines = [main?.desc, emphasis?.title, emphasis?.desc, quote?.quote_text, below];
  return [
    more.source?.desc && el("small", { className: "source" }, more.source.desc),
    ...sheet({
      title: main?.title, below: lines.filter(Boolean).join("\n"), url: more.card_action?.url,
      rows: (more.horizontal_content_list ?? []).map(({ keyname, value }) => [keyname, value ?? ""]),
    }),
  ];
}

class TencentPhone extends Phone {
  get account() {
    return { name: this.bots[0]?.name ?? "", id: 3, kind: this.kind };
  }

  accountOf() {
    return this.account;
  }

  get commands() {
    return [];
  }

  get edits() {
    return false;
  }

  /** Whether so much time has passed that the phone says when it is. */
  pause(before, message) {
    if (before && message.date - before.date < SILENCE) return null;
    const today = new Date(message.date * 1000).toDateString() === new Date().toDateString();
    return today ? clock(message.date) : `${day(message.date)} ${clock(message.date)}`;
  }

  draw(message) {
    const about = { "data-id": String(message.id) };
    if (message.deleted) return el("div", { ...about, hidden: true });
    if (message.service) return el("div", { ...about, className: `service ${message.service}` }, message.text || message.service);
    const own = message.sender.id === this.person.id;
    const from = own ? this.person : message.sender.is_bot ? this.account : people.get(message.sender.id) ?? message.sender;
    const bubble = el("div", { className: "bubble", title: clock(message.date) }, ...this.content(message));
    const keyboard = message.keyboard.length > 0 && el("div", { className: "keyboard" }, ...message.keyboard.map((row) => el("div", { className: "row" },
      ...row.map((button) => this.button(message, button)))));
    if (keyboard) bubble.append(keyboard);
    if (message.tail) bubble.append(el("div", { className: "tail" }, message.tail));
    return el("article", {
      ...about, className: `message ${own ? "own" : "other"} is-${message.kind}${message.media ? ` has-${message.media.kind}` : ""}`,
      tabindex: "0", "aria-label": from.name,
    }, avatar(from.name || "?", from.id), el("div", { className: "stack" },
      this.inGroup && !own && el("small", { className: "sender" }, from.name), bubble));
  }

  content(message) {
    if (message.kind === "template" || message.kind === "subscribe") return notice(message);
    if (message.card) return card(message.card);
    return [
      message.media && media(message.media),
      message.recognition && el("small", { className: "heard" }, message.recognition),
      message.location && place(message.location, message.location.label),
      message.link && pointer(message.link),
      message.text && message.text !== message.link?.title && el("div", { className: "words" }, ...linked(message.text)),
    ];
  }

  button(message, button) {
    return el("button", {
      type: "button", className: button.url ? "url" : "", "data-data": button.callback_data, disabled: Boolean(button.dead),
      onclick: (event) => this.press(message, button, event.currentTarget),
    }, button.text);
  }

  attachMenu() {
    return [
      [say("photo"), () => this.pick("photo", "image/*")],
      [say("samplePhoto"), () => this.act("say", { media: [{ kind: "photo" }] })],
      [say("voice"), () => this.act("say", { media: [{ kind: "voice", size: 24000 }], recognition: this.takeWords() })],
      [say("place"), () => this.act("say", { location: { latitude: 31.2304, longitude: 121.4737, label: say("placeName") } })],
    ];
  }

  /** Take what is written: it is what a voice message says. */
  takeWords() {
    const words = this.input.value.trim();
    this.input.value = "";
    this.grow();
    return words;
  }

  async press(message, button, pressed) {
    if (PAGE.test(button.url)) open(button.url, "_blank", "noopener");
    if (button.url) return;
    pressed.setAttribute("aria-busy", "true");
    try {
      await this.act("press", { message_id: message.id, data: button.callback_data });
    } finally {
      pressed.removeAttribute("aria-busy");
    }
  }

  /** Nothing on these platforms carries a caption. */
  spoken() {
    return {};
  }
}

/** A customer's phone: the account answers with words, and below the chat lies its menu. */
export class WeChatPhone extends TencentPhone {
  get kind() {
    return "officialAccount";
  }

  get hurdle() {
    return this.meta.started ? null : { word: "follow", take: () => this.act("follow") };
  }

  chatMenu() {
    const turn = this.meta.started ? "unfollow" : "follow";
    return [[say("clear"), () => this.clear()], [say(turn), () => this.act(turn)]];
  }

  drawComposer() {
    super.drawComposer();
    this.entries ??= el("nav", { className: "entries", "aria-label": say("menu") });
    if (!this.entries.isConnected) this.composer.after(this.entries);
    const menu = this.meta.started ? this.meta.menu ?? [] : [];
    this.entries.hidden = !menu.length;
    this.entries.replaceChildren(...menu.map((entry) => {
      const more = entry.sub_button?.length > 0;
      return el("button", {
        type: "button", "aria-haspopup": more ? "menu" : null, onclick: (event) => (more ? this.unfold(entry, event.currentTarget) : this.enter(entry)),
      }, more && icon("menu"), entry.name);
    }));
  }

  /** Show what lies under an entry of the menu, above it. */
  unfold(entry, under) {
    this.openMenu(entry.sub_button.map((each) => [each.name, () => this.enter(each)]), "menu unfolded");
    const { left, right } = under.getBoundingClientRect();
    const { left: edge, width } = this.root.getBoundingClientRect();
    const { offsetWidth: own } = this.menu;
    this.menu.style.insetInlineStart = `${Math.max(6, Math.min((left + right - own) / 2 - edge, width - own - 6))}px`;
  }

  async enter(entry) {
    const told = await this.act("click", { key: entry.key ?? entry.name });
    if (PAGE.test(told.url)) open(told.url, "_blank", "noopener");
  }
}

/** A member's phone: cards with buttons, which change when something was done. In a group only a robot speaks. */
export class WeComPhone extends TencentPhone {
  get kind() {
    return "app";
  }

  chatMenu() {
    return [[say("clear"), () => this.clear()]];
  }

  drawComposer() {
    super.drawComposer();
    this.composer.hidden = this.inGroup;
  }
}
