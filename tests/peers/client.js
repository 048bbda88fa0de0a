/* Calls the interface of WeChat as somebody else wrote it: co-wechat-api, whose methods are called by their names. */
"use strict";

const API = require("co-wechat-api");
const { converse, settings } = require("./lines.js");

const api = new API(settings.appid, settings.secret);
api.prefix = settings.prefix;

converse(({ method, given }) => api[method](...given));
