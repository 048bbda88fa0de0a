/* Answers one line of JSON with another, one after the other, until the lines end. */
"use strict";

const { createInterface } = require("node:readline");

/** What the test gave the program to begin with. */
exports.settings = JSON.parse(process.argv[2] ?? "{}");

exports.tell = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);

/** Answer every line with what `answer` makes of it, or with what it threw. */
exports.converse = async (answer) => {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      exports.tell({ answer: (await answer(JSON.parse(line))) ?? null });
    } catch (error) {
      exports.tell({ error: error.message, code: error.code ?? null });
    }
  }
};
