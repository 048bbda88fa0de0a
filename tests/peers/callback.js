/* An account on WeChat that somebody else wrote: co-wechat behind koa. It tells every message it understood. */
"use strict";

const Koa = require("koa");
const wechat = require("co-wechat");
const { settings, tell } = require("./lines.js");

const REPLIES = {
  silence: "",
  human: { type: "customerService" },
  news: [{ title: "Your case", description: "It moves", picurl: "http://127.0.0.1/p.png", url: "http://127.0.0.1/c" }],
};

const app = new Koa();
app.silent = true;
app.use(wechat(settings).middleware(async (message) => {
  tell({ heard: message });
  return REPLIES[message.Content] ?? `You said: ${message.Content ?? message.Event ?? message.MsgType}`;
}));
const server = app.listen(0, "127.0.0.1", () => tell({ port: server.address().port }));
process.stdin.on("end", () => process.exit()).resume();
