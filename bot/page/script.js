"use strict";

const { words, files: limits } = JSON.parse(document.getElementById("given").textContent);
const [log, form, field, send, picker, chosen, cases] = ["log", "form", "field", "send", "picker", "chosen", "cases"].map(
  (id) => document.getElementById(id),
);
const AGAIN = 1500;
const LONGEST = 60_000;
const LONGEST_WITH_FILES = 240_000;
const pointing = matchMedia("(pointer: fine)").matches;
let files = [];
let busy = false;

function make(tag, name = "", text = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

function nonce() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// --- what is shown ---

function show(element, calm = false) {
  log.append(element);
  if (!calm) element.scrollIntoView({ block: "nearest", behavior: "instant" });
  return element;
}

function linked(element, text) {
  for (const part of text.split(/(https?:\/\/[^\s<>"\u3000-\u303f\uff00-\uffef]+)/)) {
    if (/^https?:\/\//.test(part)) element.append(anchor(part, part));
    else element.append(part);
  }
}

function anchor(url, label) {
  const link = make("a", "", label);
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

function bubble(who, text) {
  const said = make("div", "said");
  said.setAttribute("aria-label", who);
  linked(said, text);
  return said;
}

function showLetter(letter, calm) {
  show(bubble(words.desk, letter.text), calm);
  const rows = letter.choices.map((row) => row.filter((choice) => choice.token || /^https?:\/\//.test(choice.url)));
  if (!rows.some((row) => row.length)) return;
  const choices = make("div", "choices");
  for (const row of rows) {
    const line = make("div");
    for (const choice of row) {
      if (choice.token) {
        const button = make("button", "", choice.label);
        button.type = "button";
        button.onclick = () => busy || say({ press: choice.token }, choice.label);
        line.append(button);
      } else line.append(anchor(choice.url, choice.label));
    }
    choices.append(line);
  }
  show(choices, calm);
}

function dots() {
  const waiting = make("div", "said dots");
  waiting.setAttribute("aria-hidden", "true");
  waiting.append(make("i"), make("i"), make("i"));
  return waiting;
}

function own(text, sent) {
  const said = bubble(words.you, text);
  said.classList.add("own", "waits");
  for (const file of sent) {
    if (file.type.startsWith("image/")) {
      const picture = make("img");
      picture.alt = file.name;
      picture.src = URL.createObjectURL(file);
      said.append(picture);
    } else said.append(make("span", "file", file.name));
  }
  return show(said);
}

// --- what is said ---

async function post(said, sent) {
  const body = new FormData();
  body.append("say", JSON.stringify(said));
  for (const file of sent) body.append("file", file, file.name);
  const most = AbortSignal.timeout ? AbortSignal.timeout(sent.length ? LONGEST_WITH_FILES : LONGEST) : undefined;
  const answer = await fetch(location.href, { method: "POST", body, headers: { "X-Plaint-Page": "1" }, signal: most });
  return { status: answer.status, told: answer.ok ? await answer.json() : null };
}

async function tried(said, sent) {
  try {
    return await post(said, sent);
  } catch {
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
    return post(said, sent).catch(() => ({ status: 0, told: null })); // the same nonce: it is served once
  }
}

// Says something, and shows what is answered. What could not be sent stays, with a button to try the very same again.
async function say(said, label, sent = []) {
  const old = [...log.querySelectorAll(".choices, .again")];
  old.forEach((each) => each.querySelectorAll("button").forEach((button) => (button.disabled = true)));
  const first = !log.childElementCount;
  const mine = said.open ? null : own(label, sent);
  await deliver({ nonce: nonce(), ...said }, sent, mine, old, first);
}

async function deliver(said, sent, mine, old, calm) {
  work(true);
  const waiting = show(dots(), calm);
  const saving = sent.length ? show(make("p", "note", words.saving)) : null;
  const { status, told } = await tried(said, sent);
  waiting.remove();
  saving?.remove();
  work(false);
  if (!told) return failed(status, said, sent, mine, old);
  old.forEach((each) => each.remove());
  mine?.classList.remove("waits");
  if (told.files) show(make("p", told.files === "saved" ? "note" : "note wrong", words[told.files]));
  told.letters.forEach((letter) => showLetter(letter, calm));
  if (told.elsewhere) show(make("p", "note", words.in_chat));
  if (told.cases) cases.innerHTML = told.cases; // ours, and escaped where it was made
}

function failed(status, said, sent, mine, old) {
  if (status === 404) return show(make("p", "note wrong", words.gone));
  old.forEach((each) => each.querySelectorAll("button").forEach((button) => (button.disabled = false)));
  const again = make("p", "again", { 413: words.too_big, 429: words.busy, 503: words.busy }[status] ?? words.unsent);
  if (status !== 413) {
    const button = make("button", "", words.retry);
    button.type = "button";
    button.onclick = () => {
      if (busy) return;
      again.remove();
      deliver(said, sent, mine, old, false);
    };
    again.append(button);
  }
  show(again);
}

// --- the form ---

function work(working) {
  busy = working;
  look();
}

function look() {
  send.disabled = busy || !(field.value.trim() || files.length);
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

function choose() {
  const fresh = [...files, ...picker.files].slice(0, limits.most);
  picker.value = "";
  const size = fresh.reduce((sum, file) => sum + file.size, 0);
  if (fresh.some((file) => file.size > limits.each) || size > limits.together) {
    show(make("p", "note wrong", words.too_big));
    return;
  }
  files = fresh;
  showChosen();
}

function showChosen() {
  chosen.replaceChildren(
    ...files.map((file) => {
      const item = make("li");
      const remove = make("button", "", "×");
      remove.type = "button";
      remove.setAttribute("aria-label", `${words.remove} ${file.name}`);
      remove.onclick = () => {
        files = files.filter((each) => each !== file);
        showChosen();
      };
      item.append(make("span", "", file.name), remove);
      return item;
    }),
  );
  chosen.hidden = !files.length;
  look();
}

form.onsubmit = (event) => {
  event.preventDefault();
  const text = field.value.trim();
  if (busy || !(text || files.length)) return;
  const sent = files;
  files = [];
  field.value = "";
  showChosen();
  say({ text }, text, sent);
};
field.oninput = look;
field.onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || !pointing) return;
  event.preventDefault();
  form.requestSubmit();
};
picker.onchange = choose;

form.hidden = false;
look();
say({ open: true }, "");
