"""Fake messengers over HTTP, and a page with phones on it: for the demo, for tests and for benchmarks.

A bot talks to the sandbox exactly as it would to the real platform; people are played by a browser, a test or a script.
The sandbox knows nothing of the rest of the project, keeps everything in memory and forgets it when it stops.

In this process::

    async with running() as sandbox:                 # sandbox.app.running; port=0 takes any free port
        sandbox.url, sandbox.token                   # http://127.0.0.1:40123, 100001:sandbox
        sandbox.bot_url, sandbox.file_url            # what a Bot API client takes as its two base addresses
        li = await sandbox.client.add_person("Li Na")
        await li.start()
        answer = await li.wait_for(lambda message: "case" in message.text)
        await li.press(answer.buttons[0].text)

As a process of its own: ``python -m sandbox --port 8081 [--host H] [--bot TOKEN=USERNAME]... [--no-privacy]``, then
``async with SandboxClient("http://127.0.0.1:8081") as client``, or a browser at that address;
``/#5000001,5000002`` opens the phones of these people at once.

The fake Bot API is at ``/bot<token>/<method>`` and ``/file/bot<token>/<path>``. Control routes speak JSON; a refusal is
``{"error": …}`` with 400 or 404. A *chat* is named by its key: the id of a person (the chat with the default bot),
``<person>@<bot>`` (with another bot) or the id of a group. Wherever a body may name a ``chat`` or a ``bot``, leaving it
out means the person's chat with the default bot. Below, ``…`` is ``/sandbox/telegram``.

========  =============================  ===============================================================
method    route                          body or query, and what it does
========  =============================  ===============================================================
GET       /sandbox                       names the platforms
GET       /sandbox/live                  WebSocket: every change as it happens
GET       …/bots                         bots with their commands and webhooks
GET POST  …/people                       lists; adds ``name, username?, language?, phone?``
DELETE    …/people/{id}                  deletes the account
POST      …/people/{id}/say              ``chat?, reply_to?`` and one of ``text``, ``media: [{kind, size?, name?}]``
                                         (``caption?``), ``contact: true``, ``location: {latitude, longitude}``,
                                         ``sticker``; or a form with files named ``photo``, ``document``, ``voice``
                                         or ``video``; several files are an album
POST      …/people/{id}/press            ``chat?, message_id, data``
POST      …/people/{id}/edit             ``chat?, message_id, text``
POST      …/people/{id}/delete           ``chat?, message_id``; bots are never told
POST      …/people/{id}/block            ``bot?``; and ``…/unblock``
GET       …/chats                        lists
GET       …/chats/{chat}                 transcript; ``?after=VERSION&wait=SECONDS`` waits for a change
DELETE    …/chats/{chat}                 empties it
POST      …/groups                       ``title, members: [id], type?, status?, bot?``: ``status`` of the bot is
                                         ``member``, ``administrator`` or null for no bot
POST      …/groups/{chat}/members        ``person``
DELETE    …/groups/{chat}/members/{id}   takes a person out
POST      …/groups/{chat}/bot            ``status, bot?``: member, administrator, kicked or left
POST      …/groups/{chat}/migrate        makes it a supergroup with another id
GET       …/files/{file_id}              the bytes
GET       …/faults                       what is wrong at the moment
POST      …/faults                       ``kind, times?, method?, chat?, seconds?``: spoils the next calls; kind is 429,
                                         500, 502, hang, drop (not served) or drop_after (served, not answered)
PUT       …/faults                       ``outage: none|refuse|hang``, ``limits: true|null|{…}``
DELETE    …/faults                       everything works again
GET POST  …/updates                      latest updates with attempts; injects one as it is (``?bot=``)
POST      …/updates/{id}/replay          ``times, bot?``: delivers it again, in parallel
GET       …/counters                     calls, statuses, sends by chat, duplicates, updates
GET       …/calls                        ``?method=``: latest calls with parameters and statuses
========  =============================  ===============================================================

What surprises is meant to, since the real one does it too: a bot hears in groups only what is meant for it unless it
is an administrator; it cannot begin a conversation; message ids count per chat; a press can be answered once and for
30 seconds; whatever is not confirmed comes again.
"""

from sandbox.app import Sandbox, running
from sandbox.client import Answer, Attachment, Button, Group, Message, Phone, SandboxClient, SandboxError, Transcript
from sandbox.telegram import DEFAULT_TOKEN, DEFAULT_USERNAME, TelegramSettings

__all__ = [
    "DEFAULT_TOKEN",
    "DEFAULT_USERNAME",
    "Answer",
    "Attachment",
    "Button",
    "Group",
    "Message",
    "Phone",
    "Sandbox",
    "SandboxClient",
    "SandboxError",
    "TelegramSettings",
    "Transcript",
    "running",
]
