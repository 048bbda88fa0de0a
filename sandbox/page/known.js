/* What the page knows: everybody and their chats on every platform, which phones are open, what was not seen yet. */

import { ask } from "./wire.js";

export const people = new Map();
export const chats = new Map();
export const phones = new Map();
export const unread = new Set();
/** By platform: the bots of Telegram; on the other platforms there is one account. */
export const bots = {};

export const find = (selector) => document.querySelector(selector);

/** Wait for something asked and show what was refused. */
export async function run(asked) {
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

export async function learnBots(platform) {
  ({ bots: bots[platform] } = await ask(platform, "GET", "/bots"));
}
