/* The page: everybody at the side, and the phones that are open beside one another. */

import { avatar, el } from "./draw.js";
import { chats, find, learnBots, people, phones, run, unread } from "./known.js";
import { locale, say, switchLanguage } from "./labels.js";
import { Phone } from "./phone.js";
import { WeChatPhone, WeComPhone } from "./wechat.js";
import { ask, listen } from "./wire.js";

const PHONES = { telegram: Phone, wechat: WeChatPhone, wecom: WeComPhone };
let platforms = ["telegram"];

const FAULTS = {
  telegram: { outages: [["none", "works"], ["refuse", "refuse"], ["hang", "hang"]], kinds: ["429", "500", "502", "hang", "drop", "drop_after"] },
  tencent: { outages: [["none", "works"], ["refuse", "refuse"], ["hang", "hang"], ["fail", "fail"]], kinds: ["error", "429", "500", "502", "hang", "drop", "drop_after"] },
};

const narrow = matchMedia("(max-width: 720px)");

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
    const person = people.get(id);
    const phone = new PHONES[person.platform](person, { back: showList, close: closePhone });
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
  if (lists.contains(active) && (active.closest("details[open]") || (active.matches("input[type=text]") && active.value) || active.matches(".add select"))) {
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
      el("small", {}, platforms.length > 1 && el("i", { className: "mark", "data-skin": person.platform }), about(person))), waiting && el("span", { className: "new" }, say("unread"))));
  }));
  const groups = [...chats.values()].filter((chat) => chat.type !== "private" && !chat.migrated_to);
  find("#groups").replaceChildren(...groups.map((chat) => el("li", {}, el("div", { className: "person" }, avatar(chat.title, chat.id),
    el("span", { className: "about" }, el("b", {}, chat.title),
      el("small", {}, chat.people.map((id) => people.get(id)?.name).join(", ") || say("people_n")(0)))))));
}

function about(person) {
  if (person.platform === "wechat") return `${say("wechat")} · ${say(person.present ? "follows" : "stranger")}`;
  if (person.platform === "wecom") return `${say("wecom")} · ${person.account}`;
  return person.username ? `@${person.username}` : languageNames()[person.language] ?? person.language;
}

const languageNames = () => ({ "zh-hans": say("zhHans"), "zh-hant": say("zhHant"), en: say("en") });

function personForm() {
  const name = el("input", { type: "text", name: "name", placeholder: say("name"), "aria-label": say("name"), required: true, maxlength: "60", autocomplete: "off" });
  const platform = el("select", { name: "platform", "aria-label": say("messenger") }, ...platforms.map((each) => el("option", { value: each }, say(each))));
  const language = el("select", { name: "language", "aria-label": say("language") }, ...Object.entries(languageNames()).map(([code, word]) => el("option", { value: code }, word)));
  platform.addEventListener("change", () => { language.hidden = platform.value !== "telegram"; });
  return el("form", {
    className: "add", onsubmit: async (event) => {
      event.preventDefault();
      const given = { name: name.value, ...(platform.value === "telegram" && { language: language.value }) };
      name.value = "";
      const person = await run(ask(platform.value, "POST", "/people", given));
      people.set(person.id, { ...person, platform: platform.value });
      openPhone(person.id);
    },
  }, name, platforms.length > 1 && platform, language, el("button", { type: "submit" }, say("add")));
}

function groupForm(isOpen) {
  const title = el("input", { type: "text", name: "title", placeholder: say("title"), "aria-label": say("title"), required: true, maxlength: "60", autocomplete: "off" });
  const admin = el("input", { type: "checkbox", name: "admin", checked: true });
  const boxes = [...people.values()].filter((person) => person.platform === "telegram" && !person.gone).map((person) =>
    el("label", {}, el("input", { type: "checkbox", name: "member", value: String(person.id), checked: phones.has(person.id) }), person.name));
  return el("details", { className: "group", open: Boolean(isOpen) }, el("summary", {}, say("newGroup")), el("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      const members = [...event.target.querySelectorAll("[name=member]:checked")].map((box) => Number(box.value));
      if (!members.length) return;
      const chat = await run(ask("telegram", "POST", "/groups", { title: title.value, members, status: admin.checked ? "administrator" : "member" }));
      title.value = "";
      chats.set(chat.key, chat);
      event.target.closest("details").open = false;
      for (const phone of phones.values()) if (members.includes(phone.person.id)) run(phone.show(chat.key));
      drawLists();
    },
  }, title, el("fieldset", {}, el("legend", {}, say("members")), ...boxes), el("label", {}, admin, say("admin")),
  el("button", { type: "submit" }, say("create"))));
}

/** What goes wrong, on each platform for itself. */
function faultForm(isOpen) {
  return el("details", { className: "faults", open: Boolean(isOpen) }, el("summary", {}, say("faults")), ...platforms.map((platform) => {
    const { outages, kinds } = FAULTS[platform] ?? FAULTS.tencent;
    const outage = el("select", { name: "outage", "aria-label": say("faults"), onchange: () => run(ask(platform, "PUT", "/faults", { outage: outage.value })) },
      ...outages.map(([value, word]) => el("option", { value }, say(word))));
    const limits = el("input", { type: "checkbox", name: "limits", onchange: () => run(ask(platform, "PUT", "/faults", { limits: limits.checked || null })) });
    ask(platform, "GET", "/faults").then((told) => { outage.value = told.outage; limits.checked = Boolean(told.limits); }, () => {});
    return el("div", { className: "board" },
      el("label", {}, platforms.length > 1 ? say(platform) : "API", outage),
      platform === "telegram" && el("label", {}, limits, say("limits")),
      el("p", {}, say("next")), el("div", { className: "kinds" }, ...kinds.map((kind) =>
        el("button", { type: "button", onclick: () => run(ask(platform, "POST", "/faults", { kind, times: 3, seconds: 2 })) }, kind))));
  }));
}

// --- keeping up with the sandbox ---

const EVENTS = {
  person: ({ platform, person }) => {
    people.set(person.id, { ...person, platform });
    const phone = phones.get(person.id);
    if (phone) phone.person = people.get(person.id);
    draw();
    phone?.drawFrame();
  },
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
  commands: async ({ platform }) => {
    await learnBots(platform);
    for (const phone of phones.values()) phone.drawFrame();
  },
  typing: ({ chat_key: key, action }) => { for (const phone of phones.values()) if (phone.chat === key) phone.setTyping(action === "cancel" ? null : action); },
};

async function refreshChats() {
  const told = await Promise.all(platforms.map((platform) => ask(platform, "GET", "/chats")));
  for (const chat of told.flatMap((each) => each.chats)) chats.set(chat.key, chat);
  for (const phone of phones.values()) phone.drawFrame();
}

/** What happened while the page asks for everything anew: it is newer than some of the answers. */
let late = null;

async function refresh() {
  late ??= [];
  try {
    platforms = (await (await fetch("/sandbox")).json()).platforms.filter((platform) => platform in PHONES);
    const told = await Promise.all([...platforms.map((platform) => ask(platform, "GET", "/people")), ...platforms.map(learnBots), refreshChats()]);
    people.clear();
    for (const [at, platform] of platforms.entries()) for (const person of told[at].people) people.set(person.id, { ...person, platform });
    draw();
    for (const phone of phones.values()) {
      phone.version = -1; // the sandbox may be another one, which counts anew
      run(phone.reload());
    }
  } finally {
    const missed = late ?? [];
    late = null;
    for (const event of missed) happened(event);
  }
}

function happened(event) {
  if (late) late.push(event);
  else EVENTS[event.kind]?.(event);
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
  changed: happened,
  opened: () => { find("#offline").hidden = true; run(refresh()); },
  lost: () => { const offline = find("#offline"); offline.textContent = say("offline"); offline.hidden = false; },
});
