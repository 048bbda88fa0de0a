/* Seals and opens what WeChat and WeCom send and take, by the libraries of others. */
"use strict";

const WeChatCrypto = require("wechat-crypto");
const wecom = require("@wecom/crypto");
const { converse } = require("./lines.js");

const PEERS = {
  wechat: ({ token, key, id }) => {
    const crypto = new WeChatCrypto(token, key, id);
    return {
      seal: (text) => crypto.encrypt(text),
      open: (sealed) => crypto.decrypt(sealed),
      sign: (...parts) => crypto.getSignature(...parts),
    };
  },
  wecom: ({ token, key, id }) => ({
    seal: (text) => wecom.encrypt(key, text, id),
    open: (sealed) => wecom.decrypt(key, sealed),
    sign: (...parts) => wecom.getSignature(token, ...parts),
  }),
};

converse(({ peer, account, verb, given }) => PEERS[peer](account)[verb](...given));
