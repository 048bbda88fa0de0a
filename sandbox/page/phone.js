/* The page: a list of people and groups, and their phones side by side. One phone shows one chat at a time. */

import { avatar, day, deepLink, drawMessage, el, iconButton } from "./draw.js";
import { locale, say, switchLanguage } from "./labels.js";
import { ask, listen } from "./wire.js";

const people = new Map();
const chats = new Map();
const phones = new Map();
let bots = [];
const unread = new Set();

const find = (selector) => document.querySelector(selector);
const narrow = matchMedia("(max-width: 720px)");

// --- one phone ---

class Phone {
  constructor(person) {
    this.person = person;
    this.chat = String(person.id);
    this.version = -1;
    this.messages = new Map();
    this.editing = this.replying = null;
    this.root = el("section", { className: "phone", "data-skin": "telegram", "data-person": String(person.id), "aria-label": person.name });
    this.build();
  }

  get meta() {
    return chats.get(this.chat) ?? { key: this.chat, type: "private", title: this.person.name, bots: {}, people: [this.person.id], started: false };
  }

  get bot() {
    const name = this.chat.split("@")[1];
    return bots.find((bot) => (name ? bot.username === name : bot.username in this.meta.bots)) ?? bots[0];
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
        iconButton("back", say("back"), () => showList(), { className: "round back" }), this.title,
        iconButton("more", say("more"), () => this.openMenu(this.chatMenu(), "menu top"), { "aria-haspopup": "menu" }),
        iconButton("close", say("close"), () => closePhone(this.person.id), { className: "round close" })),
      this.tabs, this.log, this.notice, this.answers, this.context, this.composer, this.menu);
    this.drawFrame();
  }

  // --- the frame around the messages ---

  drawFrame() {
    const { meta } = this;
    const name = this.inGroup ? meta.title : this.bot?.name ?? "";
    const below = this.inGroup ? say("people_n")(meta.people.length) : `${say("bot")} · ${this.person.name}`;
    this.title.replaceChildren(avatar(name || "?", this.inGroup ? meta.id : this.bot?.id ?? 0),
      el("div", { className: "about" }, el("b", {}, name), el("small", { className: this.typing ? "typing" : "" }, this.typing ?? below)));
    const mine = [...chats.values()].filter((chat) => chat.people.includes(this.person.id) && !chat.migrated_to);
    const keys = new Set([String(this.person.id), ...mine.map((chat) => chat.key)]);
    this.tabs.hidden = keys.size < 2;
    this.tabs.replaceChildren(...[...keys].map((key) => {
      const chat = chats.get(key);
      const bot = bots.find(({ username }) => username === key.split("@")[1]) ?? bots[0];
      return el("button", {
        type: "button", "aria-pressed": String(key === this.chat), className: unread.has(`${this.person.id} ${key}`) ? "unread" : "",
        onclick: () => this.show(key),
      }, chat && chat.type !== "private" ? chat.title : bot?.name ?? key);
    }));
    this.drawComposer();
  }

  drawComposer() {
    const blocked = !this.inGroup && this.meta.bots[this.bot?.username] === "kicked";
    const silent = !this.inGroup && !this.meta.started;
    if (blocked || silent) {
      this.composer.replaceChildren(el("button", {
        type: "button", className: "wide", onclick: () => (blocked ? this.act("unblock", { bot: this.bot.username }) : this.say("/start")),
      }, say(blocked ? "unblock" : "start")));
      return;
    }
    this.input.setAttribute("aria-label", say("write"));
    this.input.placeholder = this.forced?.input_field_placeholder ?? say("write");
    const commands = this.bot?.commands.length > 0 && el("button", {
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
    this.menu.hidden = !opened;
    if (opened) this.menu.querySelector("button")?.focus();
  }

  chatMenu() {
    const blocked = this.meta.bots[this.bot?.username] === "kicked";
    const items = [[say("clear"), () => run(ask("DELETE", `/chats/${this.chat}`))]];
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
    return this.bot.commands.map(({ command, description }) => [`/${command}`, () => this.say(`/${command}`), description]);
  }

  // --- doing ---

  act(verb, given = {}) {
    return run(ask("POST", `/people/${this.person.id}/${verb}`, { chat: this.chat, ...given }));
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
    run(ask("POST", `/people/${this.person.id}/say`, form));
  }

  key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    } else if (event.key === "ArrowUp" && !this.input.value) {
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
    if (event.target.closest("button, a")) return;
    const chosen = event.target.closest(".bubble")?.closest(".message");
    for (const message of this.log.querySelectorAll(".chosen")) if (message !== chosen) message.classList.remove("chosen");
    chosen?.classList.toggle("chosen");
  }

  async follow({ username, payload }) {
    const bot = bots.find((known) => known.username === username);
    if (!bot) return this.toast(`@${username}?`);
    await this.show(bot === bots[0] ? String(this.person.id) : `${this.person.id}@${username}`);
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
    unread.delete(`${this.person.id} ${key}`);
    this.typing = null;
    this.setContext();
    await this.reload();
    this.input.focus({ preventScroll: true });
  }

  async reload() {
    const { chat } = this;
    const told = await ask("GET", `/chats/${chat}`);
    if (chat !== this.chat) return;
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
    const drawn = drawMessage(message, {
      viewer: this.person.id, inGroup: this.inGroup, original: message.reply_to && this.messages.get(message.reply_to),
      acts: {
        reply: (chosen) => this.setContext({ replying: chosen }), edit: (chosen) => this.setContext({ editing: chosen }),
        remove: (chosen) => this.act("delete", { message_id: chosen.id }), press: (...pressed) => this.press(...pressed),
        follow: (found) => this.follow(found), command: (text) => this.say(text),
        show: (id) => this.log.querySelector(`[data-id="${id}"]`)?.scrollIntoView({ block: "center", behavior: "smooth" }),
      },
    });
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
    if (!before || day(before.date) !== day(message.date)) this.log.append(el("div", { className: "service day" }, day(message.date)));
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

// --- which phones are open ---

const opened = () => location.hash.slice(1).split(",").map(Number).filter((id) => people.has(id));

function openPhone(id) {
  const ids = opened().filter((other) => other !== id);
  const most = narrow.matches ? 1 : 6;
  history.replaceState(null, "", `#${[...ids, id].slice(-most).join(",")}`);
  draw();
  phones.get(id)?.input.focus({ preventScroll: true });
  phones.get(id)?.root.scrollIntoView({ inline: "nearest", block: "nearest" });
}

function closePhone(id) {
  history.replaceState(null, "", `#${opened().filter((other) => other !== id).join(",")}`);
  draw();
}

function showList() {
  history.replaceState(null, "", "#");
  draw();
}

function draw() {
  const ids = narrow.matches ? opened().slice(-1) : opened();
  for (const [id, phone] of phones) if (!ids.includes(id)) { phone.root.remove(); phones.delete(id); }
  const stage = find("#phones");
  for (const id of ids) {
    if (phones.has(id)) continue;
    const phone = new Phone(people.get(id));
    phones.set(id, phone);
    unread.delete(`${id} ${phone.chat}`);
    stage.append(phone.root);
    run(phone.reload());
  }
  stage.querySelector(".hello")?.remove();
  if (!ids.length) stage.append(el("div", { className: "hello" }, el("img", { src: "/page/icon.svg", alt: "", width: "72", height: "72" }), el("h1", {}, say("hello")), el("p", {}, say("helloMore"))));
  document.body.classList.toggle("talking", ids.length > 0);
  drawLists();
}

// --- the lists at the side ---

function drawLists() {
  const lists = find("#lists");
  const { activeElement: active } = document;
  if (lists.contains(active) && (active.closest("details[open]") || (active.matches("input[type=text]") && active.value))) {
    drawPeople(); // somebody is filling a form in: leave it alone
    return;
  }
  const faultsOpen = lists.querySelector("details.faults")?.open;
  const groupOpen = lists.querySelector("details.group")?.open;
  lists.replaceChildren(el("h2", {}, say("people")), el("ul", { id: "people" }), personForm(),
    el("h2", {}, say("groups")), el("ul", { id: "groups" }), groupForm(groupOpen), faultForm(faultsOpen));
  find("#language").textContent = say("language");
  drawPeople();
}

function drawPeople() {
  find("#people").replaceChildren(...[...people.values()].filter((person) => !person.gone).map((person) => {
    const waiting = [...unread].some((key) => key.startsWith(`${person.id} `));
    return el("li", {}, el("button", {
      type: "button", className: `person${phones.has(person.id) ? " open" : ""}`, "aria-pressed": String(phones.has(person.id)),
      onclick: () => openPhone(person.id),
    }, avatar(person.name, person.id), el("span", { className: "about" }, el("b", {}, person.name),
      el("small", {}, person.username ? `@${person.username}` : languageNames()[person.language] ?? person.language)), waiting && el("span", { className: "new" }, say("unread"))));
  }));
  const groups = [...chats.values()].filter((chat) => chat.type !== "private" && !chat.migrated_to);
  find("#groups").replaceChildren(...groups.map((chat) => el("li", {}, el("div", { className: "person" }, avatar(chat.title, chat.id),
    el("span", { className: "about" }, el("b", {}, chat.title),
      el("small", {}, chat.people.map((id) => people.get(id)?.name).join(", ") || say("people_n")(0)))))));
}

const languageNames = () => ({ "zh-hans": say("zhHans"), "zh-hant": say("zhHant"), en: say("en") });

function personForm() {
  const name = el("input", { type: "text", name: "name", placeholder: say("name"), "aria-label": say("name"), required: true, maxlength: "60", autocomplete: "off" });
  const language = el("select", { name: "language", "aria-label": say("language") }, ...Object.entries(languageNames()).map(([code, word]) => el("option", { value: code }, word)));
  return el("form", {
    className: "add", onsubmit: async (event) => {
      event.preventDefault();
      const given = { name: name.value, language: language.value };
      name.value = "";
      const person = await run(ask("POST", "/people", given));
      people.set(person.id, person);
      openPhone(person.id);
    },
  }, name, language, el("button", { type: "submit" }, say("add")));
}

function groupForm(isOpen) {
  const title = el("input", { type: "text", name: "title", placeholder: say("title"), "aria-label": say("title"), required: true, maxlength: "60", autocomplete: "off" });
  const admin = el("input", { type: "checkbox", name: "admin", checked: true });
  const boxes = [...people.values()].filter((person) => !person.gone).map((person) =>
    el("label", {}, el("input", { type: "checkbox", name: "member", value: String(person.id), checked: phones.has(person.id) }), person.name));
  return el("details", { className: "group", open: Boolean(isOpen) }, el("summary", {}, say("newGroup")), el("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      const members = [...event.target.querySelectorAll("[name=member]:checked")].map((box) => Number(box.value));
      if (!members.length) return;
      const chat = await run(ask("POST", "/groups", { title: title.value, members, status: admin.checked ? "administrator" : "member" }));
      title.value = "";
      chats.set(chat.key, chat);
      event.target.closest("details").open = false;
      for (const phone of phones.values()) if (members.includes(phone.person.id)) run(phone.show(chat.key));
      drawLists();
    },
  }, title, el("fieldset", {}, el("legend", {}, say("members")), ...boxes), el("label", {}, admin, say("admin")),
  el("button", { type: "submit" }, say("create"))));
}

function faultForm(isOpen) {
  const outage = el("select", { name: "outage", "aria-label": say("faults"), onchange: () => run(ask("PUT", "/faults", { outage: outage.value })) },
    ...[["none", "works"], ["refuse", "refuse"], ["hang", "hang"]].map(([value, word]) => el("option", { value }, say(word))));
  const limits = el("input", { type: "checkbox", name: "limits", onchange: () => run(ask("PUT", "/faults", { limits: limits.checked || null })) });
  const kinds = ["429", "500", "502", "hang", "drop", "drop_after"];
  const details = el("details", { className: "faults", open: Boolean(isOpen) }, el("summary", {}, say("faults")), el("div", { className: "board" },
    el("label", {}, "API", outage), el("label", {}, limits, say("limits")),
    el("p", {}, say("next")), el("div", { className: "kinds" }, ...kinds.map((kind) =>
      el("button", { type: "button", onclick: () => run(ask("POST", "/faults", { kind, times: 3, seconds: 2 })) }, kind)))));
  ask("GET", "/faults").then((told) => { outage.value = told.outage; limits.checked = Boolean(told.limits); }, () => {});
  return details;
}

// --- keeping up with the sandbox ---

/** Wait for something asked and show what was refused. */
async function run(asked) {
  try {
    return await asked;
  } catch (error) {
    const offline = find("#offline");
    offline.textContent = error.message;
    offline.hidden = false;
    setTimeout(() => { offline.hidden = true; }, 4000);
    throw error;
  }
}

const EVENTS = {
  person: ({ person }) => { people.set(person.id, person); draw(); },
  chat: ({ chat }) => {
    chats.set(chat.key, chat);
    for (const phone of phones.values()) {
      if (phone.chat === chat.key && chat.migrated_to) run(phone.show(chat.migrated_to));
      else if (phone.chat === chat.key && phone.version !== chat.version) run(phone.reload());
      else phone.drawFrame();
    }
    drawLists();
  },
  message: (event) => {
    const { chat_key: key, message } = event;
    const chat = chats.get(key);
    if (chat && !chat.started && !message.sender.is_bot) { chat.started = true; }
    if (!chat) refreshChats();
    for (const phone of phones.values()) if (phone.chat === key) phone.changed(event);
    const readers = chat?.people ?? [Number(key.split("@")[0])];
    const missed = readers.filter((id) => id !== message.sender.id && phones.get(id)?.chat !== key && !message.edited);
    for (const id of missed) unread.add(`${id} ${key}`);
    for (const id of missed) phones.get(id)?.drawFrame();
    if (missed.length) drawPeople();
  },
  delivered: ({ chat_key: key, message_id: id }) => { for (const phone of phones.values()) if (phone.chat === key) phone.delivered(id); },
  answer: ({ chat_key: key, version, answer }) => {
    for (const phone of phones.values()) {
      if (phone.chat !== key) continue;
      phone.version = Math.max(phone.version, version);
      phone.answered(answer);
    }
  },
  commands: async () => {
    bots = (await ask("GET", "/bots")).bots;
    for (const phone of phones.values()) phone.drawFrame();
  },
  typing: ({ chat_key: key, action }) => { for (const phone of phones.values()) if (phone.chat === key) phone.setTyping(action); },
};

async function refreshChats() {
  const told = await ask("GET", "/chats");
  for (const chat of told.chats) chats.set(chat.key, chat);
  for (const phone of phones.values()) phone.drawFrame();
}

async function refresh() {
  const [told, known] = await Promise.all([ask("GET", "/people"), ask("GET", "/bots"), refreshChats()]);
  bots = known.bots;
  people.clear();
  for (const person of told.people) people.set(person.id, person);
  draw();
  for (const phone of phones.values()) run(phone.reload());
}

find("#language").addEventListener("click", () => {
  switchLanguage();
  for (const phone of phones.values()) phone.root.remove();
  phones.clear();
  find("#lists").replaceChildren();
  start();
});
addEventListener("hashchange", draw);
addEventListener("pointerdown", ({ target }) => { for (const phone of phones.values()) phone.leaveMenu(target); });
narrow.addEventListener("change", draw);

function start() {
  document.documentElement.lang = locale() === "zh-CN" ? "zh-Hans" : "en";
  draw();
}

start();
listen({
  changed: (event) => EVENTS[event.kind]?.(event),
  opened: () => { find("#offline").hidden = true; run(refresh()); },
  lost: () => { const offline = find("#offline"); offline.textContent = say("offline"); offline.hidden = false; },
});
