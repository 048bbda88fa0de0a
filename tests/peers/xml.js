/* Reads XML with the parser of co-wechat. */
"use strict";

const { createRequire } = require("node:module");
const { parseString } = createRequire(require.resolve("co-wechat"))("xml2js");
const { converse } = require("./lines.js");

converse(({ xml }) => new Promise((resolve, reject) => {
  parseString(xml, { explicitArray: false }, (error, read) => (error ? reject(error) : resolve(read)));
}));
