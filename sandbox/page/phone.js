/* One phone: it shows one chat at a time. This is the phone of Telegram; those of other messengers are in files of their own. */

import { avatar, day, deepLink, drawMessage, el, iconButton } from "./draw.js";
import { bots, chats, run, unread } from "./known.js";
import { say } from "./labels.js";
import { ask } from "./wire.js";

export class Phone {
  constructor(person, { back, close }) {
    Object.assign(this, { person, back, close });
    this.chat = String(person.id);
    this.version = -1;
    this.messages = new Map();
    this.editing = this.replying = null;
    this.root = el("section", { className: "phone", "data-skin": person.platform ?? "telegram", "data-person": String(person.id), "aria-label": person.name });
    this.acts = {
      reply: (chosen) => this.setContext({ replying: chosen }), edit: (chosen) => this.setContext({ editing: chosen }),
      remove: (chosen) => this.act("delete", { message_id: chosen.id }), press: (...pressed) => this.press(...pressed),
      follow: (found) => this.follow(found), command: (text) => this.say(text),
      show: (id) => this.log.querySelector(`[data-id="${id}"]`)?.scrollIntoView({ block: "center", behavior: "smooth" }),
    };
    this.build();
  }

  get platform() {
    return this.root.dataset.skin;
  }

  get meta() {
    return chats.get(this.chat) ?? { key: this.chat, type: "private", title: this.person.name, bots: {}, people: [this.person.id], started: false };
  }

  get bot() {
    const name = this.chat.split("@")[1];
    return this.bots.find((bot) => (name ? bot.username === name : bot.username in this.meta.bots)) ?? this.bots[0];
  }

  // --- what other messengers do in another way ---

  /** Whom a private chat is with. */
  get account() {
    return { name: this.bot?.name ?? "", id: this.bot?.id ?? 0, kind: "bot" };
  }

  accountOf(key) {
    return this.bots.find(({ username }) => username === key.split("@")[1]) ?? this.bots[0] ?? { name: key };
  }

  get commands() {
    return this.bot?.commands ?? [];
  }

  /** What stands between the person and writing, if anything does. */
  get hurdle() {
    if (this.meta.bots[this.bot?.username] === "kicked") return { word: "unblock", take: () => this.act("unblock", { bot: this.bot.username }) };
    return this.meta.started ? null : { word: "start", take: () => this.say("/start") };
  }

  /** Whether one may change what one has said, and answer one message of many. */
  get edits() {
    return true;
  }

  /** What is said between two messages about the time that has passed. */
  pause(before, message) {
    return before && day(before.date) === day(message.date) ? null : day(message.date);
  }

  draw(message) {
    return drawMessage(message, {
      viewer: this.person.id, inGroup: this.inGroup, original: message.reply_to && this.messages.get(message.reply_to), acts: this.acts,
    });
  }

  get bots() {
    return bots[this.platform] ?? [];
  }

  get inGroup() {
    return this.meta.type !== "private";
  }

  build() {
    this.title = el("div", { className: "title" });
    this.tabs = el("nav", { className: "tabs" });
    this.log = el("div", { className: "log", role: "log", "aria-live": "polite", tabindex: "-1" });
    this.notice = el("div", { className: "notice", role: "status", hidden: true });
    this.context = el("div", { className: "context", hidden: true });
    this.answers = el("div", { className: "answers", hidden: true });
    this.input = el("textarea", { rows: 1, name: "text", autocomplete: "off", maxlength: "8000" });
    this.sendButton = iconButton("send", say("send"), () => this.send(), { className: "round send" });
    this.menu = el("div", { className: "menu", role: "menu", hidden: true });
    this.menu.addEventListener("focusout", ({ relatedTarget: next }) => {
      if (next && !this.menu.contains(next)) this.menu.hidden = true;
    });
    this.composer = el("form", { className: "composer", onsubmit: (event) => { event.preventDefault(); this.send(); } });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("input", () => this.grow());
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { this.menu.hidden = true; this.setContext(); this.input.focus(); }
    });
    this.log.addEventListener("click", (event) => this.choose(event));
    this.root.append(
      el("header", { className: "bar" },
        iconButton("back", say("back"), () => this.back(), { className: "round back" }), this.title,
        iconButton("more", say("more"), () => this.openMenu(this.chatMenu(), "menu top"), { "aria-haspopup": "menu" }),
        iconButton("close", say("close"), () => this.close(this.person.id), { className: "round close" })),
      this.tabs, this.log, this.notice, this.answers, this.context, this.composer, this.menu);
    this.drawFrame();
  }

  // --- the frame around the messages ---

  drawFrame() {
    const { meta } = this;
    const name = this.inGroup ? meta.title : this.account.name;
    const below = this.inGroup ? say("people_n")(meta.people.length) : `${say(this.account.kind)} · ${this.person.name}`;
    this.title.replaceChildren(avatar(name || "?", this.inGroup ? meta.id : this.account.id),
      el("div", { className: "about" }, el("b", {}, name), el("small", { className: this.typing ? "typing" : "" }, this.typing ?? below)));
    const mine = [...chats.values()].filter((chat) => chat.people.includes(this.person.id) && !chat.migrated_to);
    const keys = new Set([String(this.person.id), ...mine.map((chat) => chat.key)]);
    this.tabs.hidden = keys.size < 2;
    this.tabs.replaceChildren(...[...keys].map((key) => {
      const chat = chats.get(key);
      return el("button", {
        type: "button", "aria-pressed": String(key === this.chat), className: unread.has(`${this.person.id} ${key}`) ? "unread" : "",
        onclick: () => this.show(key),
      }, chat && chat.type !== "private" ? chat.title : this.accountOf(key).name);
    }));
    this.drawComposer();
  }

  drawComposer() {
    const hurdle = this.inGroup ? null : this.hurdle;
    if (hurdle) {
      this.composer.replaceChildren(el("button", { type: "button", className: "wide", onclick: hurdle.take }, say(hurdle.word)));
      return;
    }
    this.input.setAttribute("aria-label", say("write"));
    this.input.placeholder = this.forced?.input_field_placeholder ?? say("write");
    const commands = this.commands.length > 0 && el("button", {
      type: "button", className: "round slash", title: say("commands"), "aria-label": say("commands"), "aria-haspopup": "menu",
      onclick: () => this.openMenu(this.commandMenu()),
    }, "/");
    const field = el("div", { className: "field" },
      iconButton("attach", say("attach"), () => this.openMenu(this.attachMenu()), { "aria-haspopup": "menu" }), this.input, commands);
    if (!this.composer.contains(this.input)) this.composer.replaceChildren(field, this.sendButton);
    else if (Boolean(this.composer.querySelector(".slash")) !== Boolean(commands)) {
      const focused = document.activeElement === this.input;
      this.composer.replaceChildren(field, this.sendButton);
      if (focused) this.input.focus();
    }
  }

  /** Put a menu away when something else is pressed; its own button does that by itself. */
  leaveMenu(target) {
    if (!this.menu.contains(target) && !(this.root.contains(target) && target.closest("[aria-haspopup]"))) this.menu.hidden = true;
  }

  openMenu(items, place = "menu") {
    const opened = this.menu.hidden;
    this.menu.replaceChildren(...items.map(([label, run, hint]) => el("button", {
      type: "button", role: "menuitem", onclick: () => { this.menu.hidden = true; run(); },
    }, label, hint && el("small", {}, hint))));
    this.menu.className = place;
    this.menu.style.insetInlineStart = "";
    this.menu.hidden = !opened;
    if (opened) this.menu.querySelector("button")?.focus();
  }

  chatMenu() {
    const blocked = this.meta.bots[this.bot?.username] === "kicked";
    const items = [[say("clear"), () => this.clear()]];
    if (!this.inGroup) {
      items.push([say(blocked ? "unblock" : "block"), () => this.act(blocked ? "unblock" : "block", { bot: this.bot.username })]);
    }
    return items;
  }

  attachMenu() {
    const media = (...kinds) => () => this.act("say", { media: kinds.map((kind) => ({ kind })), ...this.spoken() });
    return [
      [say("photo"), () => this.pick("photo", "image/*")],
      [say("file"), () => this.pick("document", "")],
      [say("album"), () => this.pick("photo", "image/*", true)],
      [say("samplePhoto"), media("photo")],
      [say("sampleAlbum"), media("photo", "photo", "photo")],
      [say("voice"), () => this.act("say", { media: [{ kind: "voice", size: 24000 }] })],
      [say("contact"), () => this.act("say", { contact: true })],
      [say("place"), () => this.act("say", { location: { latitude: 31.2304, longitude: 121.4737 } })],
    ];
  }

  commandMenu() {
    return this.commands.map(({ command, description }) => [`/${command}`, () => this.say(`/${command}`), description]);
  }

  // --- doing ---

  ask(...asked) {
    return ask(this.platform, ...asked);
  }

  act(verb, given = {}) {
    return run(this.ask("POST", `/people/${this.person.id}/${verb}`, { chat: this.chat, ...given }));
  }

  clear() {
    return run(this.ask("DELETE", `/chats/${this.chat}`));
  }

  say(text) {
    return this.act("say", { text });
  }

  /** Take what is written as the caption of a file. */
  spoken() {
    const caption = this.input.value.trim();
    this.input.value = "";
    this.grow();
    return caption ? { caption } : {};
  }

  async send() {
    const text = this.input.value.trim();
    if (!text) return;
    const { editing, replying } = this;
    this.input.value = "";
    this.grow();
    this.setContext();
    if (editing) await this.act("edit", { message_id: editing.id, text });
    else await this.act("say", { text, reply_to: replying?.id });
    this.input.focus();
  }

  pick(kind, accept, multiple = false) {
    const chooser = el("input", { type: "file", accept, multiple });
    chooser.addEventListener("change", () => this.upload(kind, chooser.files));
    chooser.click();
  }

  upload(kind, files) {
    if (!files.length) return;
    const form = new FormData();
    form.set("chat", this.chat);
    for (const [name, text] of Object.entries(this.spoken())) form.set(name, text);
    for (const file of files) form.append(kind, file, file.name);
    run(this.ask("POST", `/people/${this.person.id}/say`, form));
  }

  key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    } else if (event.key === "ArrowUp" && !this.input.value && this.edits) {
      const own = [...this.messages.values()].filter((message) => message.sender.id === this.person.id && message.text && !message.deleted);
      if (own.length) { event.preventDefault(); this.setContext({ editing: own.at(-1) }); }
    }
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 140)}px`;
  }

  setContext({ editing = null, replying = null } = {}) {
    if (this.editing && !editing) this.input.value = "";
    Object.assign(this, { editing, replying });
    const message = editing ?? replying;
    this.context.hidden = !message;
    if (!message) return;
    this.context.replaceChildren(
      el("div", { className: "quote" }, el("b", {}, editing ? say("edit") : message.sender.name),
        el("span", {}, message.text || say(message.media?.kind ?? "file"))),
      iconButton("close", say("cancel"), () => this.setContext()));
    if (editing) { this.input.value = message.text; this.grow(); }
    this.input.focus();
  }

  /** Show the actions of the message that was clicked. */
  choose(event) {
    if (event.target.closest("button, a") || !this.edits) return;
    const chosen = event.target.closest(".bubble")?.closest(".message");
    for (const message of this.log.querySelectorAll(".chosen")) if (message !== chosen) message.classList.remove("chosen");
    chosen?.classList.toggle("chosen");
  }

  async follow({ username, payload }) {
    const bot = this.bots.find((known) => known.username === username);
    if (!bot) return this.toast(`@${username}?`);
    await this.show(bot === this.bots[0] ? String(this.person.id) : `${this.person.id}@${username}`);
    return this.say(`/start ${payload}`.trim());
  }

  press(message, button, pressed) {
    if (button.url) {
      const found = deepLink(button.url);
      if (found) this.follow(found);
      else if (/^https?:/.test(button.url)) open(button.url, "_blank", "noopener");
      return;
    }
    pressed.setAttribute("aria-busy", "true");
    setTimeout(() => pressed.removeAttribute("aria-busy"), 8000);
    this.act("press", { message_id: message.id, data: button.callback_data });
  }

  // --- showing ---

  async show(key) {
    this.chat = key;
    this.version = -1;
    unread.delete(`${this.person.id} ${key}`);
    this.typing = null;
    this.setContext();
    await this.reload();
    this.input.focus({ preventScroll: true });
  }

  async reload() {
    const { chat } = this;
    const told = await this.ask("GET", `/chats/${chat}`);
    if (chat !== this.chat || told.version < this.version) return; // what was told meanwhile is newer
    chats.set(told.chat.key, told.chat);
    this.version = told.version;
    this.messages = new Map(told.messages.map((message) => [message.id, message]));
    this.log.replaceChildren();
    for (const message of told.messages) this.place(message);
    if (!told.messages.length) this.log.append(el("p", { className: "empty" }, say("empty")));
    this.drawFrame();
    this.drawAnswers();
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** Put a new or changed message where it belongs. */
  place(message) {
    const stays = this.atEnd() || (!this.messages.has(message.id) && message.sender.id === this.person.id);
    const drawn = this.draw(message);
    this.messages.set(message.id, message);
    const old = this.log.querySelector(`[data-id="${message.id}"]`);
    if (old) old.replaceWith(drawn);
    else this.append(message, drawn);
    if (stays) this.log.scrollTop = this.log.scrollHeight;
  }

  /** Whether the newest message is in sight, so that the view follows what comes. */
  atEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 120;
  }

  append(message, drawn) {
    this.log.querySelector(".empty")?.remove();
    const before = this.messages.get(message.id - 1);
    const said = this.pause(before, message);
    if (said) this.log.append(el("div", { className: "service day" }, said));
    if (!message.album) return this.log.append(drawn);
    const last = this.log.lastElementChild;
    const own = message.sender.id === this.person.id;
    const album = last?.dataset.album === message.album ? last : el("div", { className: `album ${own ? "own" : "other"}`, "data-album": message.album });
    album.append(drawn);
    return this.log.append(album);
  }

  /** Show what the newest message of a bot asks of the keyboard below. */
  drawAnswers() {
    const asking = [...this.messages.values()].filter((message) => message.sender.is_bot && !message.deleted && message.markup && !message.markup.inline_keyboard).at(-1);
    const rows = asking?.markup.keyboard ?? [];
    this.answers.hidden = !rows.length;
    this.answers.replaceChildren(...rows.map((row) => el("div", { className: "row" }, ...row.map((button) => {
      const { text, request_contact: contact } = typeof button === "string" ? { text: button } : button;
      return el("button", { type: "button", onclick: () => this.act("say", contact ? { contact: true } : { text }) }, text);
    }))));
    const newest = [...this.messages.values()].at(-1);
    this.forced = newest?.markup?.force_reply ? newest.markup : null;
    if (this.forced && this.replying?.id !== newest.id) this.setContext({ replying: newest });
    this.drawComposer();
  }

  changed(event) {
    const { message, version } = event;
    if (version > this.version + 1) { this.reload(); return; }
    if (version <= this.version) return;
    this.version = version;
    if (message.sender.is_bot) this.setTyping(null);
    this.place(message);
    for (const other of this.messages.values()) if (other.reply_to === message.id) this.place(other);
    this.drawAnswers();
  }

  delivered(id) {
    const message = this.messages.get(id);
    if (message && !message.deleted) this.place({ ...message, delivered: true });
  }

  setTyping(action) {
    clearTimeout(this.typingEnds);
    const words = { typing: "typing", record_voice: "recording" };
    this.typing = action && say(words[action] ?? "uploading");
    if (action) this.typingEnds = setTimeout(() => this.setTyping(null), 5000);
    this.drawFrame();
    this.log.querySelector(".dots")?.remove();
    if (action) {
      const stays = this.atEnd();
      this.log.append(el("div", { className: "dots", "aria-label": this.typing }, el("i"), el("i"), el("i")));
      if (stays) this.log.scrollTop = this.log.scrollHeight;
    }
  }

  answered({ person_id: person, message_id: id, data, text, alert: grave, url }) {
    if (person !== this.person.id) return;
    for (const button of this.log.querySelectorAll(`[data-id="${id}"] [aria-busy]`)) {
      if (button.dataset.data === data) button.removeAttribute("aria-busy");
    }
    if (url && deepLink(url)) this.follow(deepLink(url));
    if (text && grave) this.alert(text);
    else if (text) this.toast(text);
  }

  toast(text) {
    this.notice.textContent = text;
    this.notice.hidden = false;
    clearTimeout(this.toastEnds);
    this.toastEnds = setTimeout(() => { this.notice.hidden = true; }, 4000);
  }

  alert(text) {
    const shade = el("div", { className: "shade" });
    const close = el("button", { type: "button", onclick: () => { shade.remove(); this.input.focus(); } }, say("ok"));
    shade.append(el("div", { className: "alert", role: "alertdialog", "aria-modal": "true", "aria-label": text }, el("p", {}, text), close));
    shade.addEventListener("keydown", (event) => { if (event.key === "Escape") close.click(); });
    this.root.append(shade);
    close.focus();
  }
}
