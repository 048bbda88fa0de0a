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

        sandbox.url, sandbox.wecom_url               # what clients of WeChat and WeCom take as base addresses
        await sandbox.client.set_callback("http://127.0.0.1:8080/wechat", platform="wechat")
        wang = await sandbox.client.add_wechat_person("Wang Wei")
        await wang.follow()
        await sandbox.client.forward(hours=49)       # too late to write to her now

As a process of its own: ``python -m sandbox --port 8081 [--host H] [--bot TOKEN=USERNAME]... [--no-privacy]
[--wechat NAME=VALUE]... [--wecom NAME=VALUE]...`` (what `WeChatSettings` and `WeComSettings` are made of), then
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
GET POST  /sandbox/clock                 the time; ``forward``: seconds that pass for all platforms
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

WeChat and WeCom have the same routes under ``/sandbox/wechat`` and ``/sandbox/wecom`` for ``bots``, ``people`` (without
DELETE with WeChat), ``say``, ``press``, ``chats``, ``files``, ``faults``, ``counters`` and ``calls``, with these
differences: a person goes by number or by ``account`` (OpenID, UserID); ``say`` takes ``text``, ``media`` (``photo``,
``voice`` with ``recognition``, ``video``), ``location`` or ``link: {title, description?, url}``; faults have the kind
``error`` with ``code``, the method ``callback`` for what is told, the outage ``fail`` (HTTP 500) and a ``delay`` in
seconds, and know no limits. And they have more:

========  =============================  ===============================================================
method    route                          body or query, and what it does
========  =============================  ===============================================================
PUT       …/callback                     ``url, verify?``: asks there for its echo first
GET POST  …/callbacks                    what was told, with attempts; tells ``person`` and ``xml`` or ``fields``
POST      …/callbacks/{id}/replay        ``times``: tells it again, in parallel
POST      …/tokens/expire                ``replaced?``: 42001, or 40001 (WeCom: 40014)
PUT       …/account                      ``allowed_ips: [ip]|null``; WeChat also ``kind, recognition, quotas:
                                         {path: calls a day}, broken_templates`` (and GET)
POST      wechat/people                  ``name, account?, follows?, language?, phone?``
POST      wechat/people/{id}/follow      and ``…/unfollow``; ``…/scan`` with ``scene``
POST      wechat/people/{id}/click       ``key``: taps the menu, by key or label
POST      wechat/people/{id}/consent     ``template_id, accept?, scene?, all?``
POST      wechat/people/{id}/templates   ``blocked``: refuses template messages
POST      wecom/people                   ``name, account?, departments?, phone?``
DELETE    wecom/people/{id}              deletes a member; the app hears of it
POST      wecom/people/{id}/enter        opens the app; ``press`` takes ``selected: {question: [option]}``
========  =============================  ===============================================================

The fake Official Account API is at ``/cgi-bin/…`` and ``/wxaapi/…``, that of WeCom at ``/wecom/cgi-bin/…``. Of a
message they tell more than Telegram: ``kind``, ``way`` (passive, custom, template, subscribe, app, robot, platform),
``links`` in its text, ``link``, ``card``, ``mentions``, ``recognition`` and ``msg_id``; a button may be ``dead``.

What surprises is meant to, since the real one does it too: a bot hears in groups only what is meant for it unless it
is an administrator; it cannot begin a conversation; message ids count per chat; a press can be answered once and for
30 seconds; whatever is not confirmed comes again. WeChat lets an account write five times in two days after a message,
and three times in a minute after a touch; it writes XML that is none when somebody types ``]]>``; it tells everything
three times to those who are slow, and then tells the customer. WeCom swallows the 31st message of a minute silently.
"""

from sandbox.app import Sandbox, running
from sandbox.client import (
    Answer,
    Attachment,
    Button,
    Group,
    Handset,
    Message,
    Phone,
    SandboxClient,
    SandboxError,
    Transcript,
    WeChatPhone,
    WeComPhone,
)
from sandbox.telegram import DEFAULT_TOKEN, DEFAULT_USERNAME, TelegramSettings
from sandbox.wechat import CallbackTiming, Template, WeChatSettings
from sandbox.wecom import WeComSettings

__all__ = [
    "DEFAULT_TOKEN",
    "DEFAULT_USERNAME",
    "Answer",
    "Attachment",
    "Button",
    "CallbackTiming",
    "Group",
    "Handset",
    "Message",
    "Phone",
    "Sandbox",
    "SandboxClient",
    "SandboxError",
    "TelegramSettings",
    "Template",
    "Transcript",
    "WeChatPhone",
    "WeChatSettings",
    "WeComPhone",
    "WeComSettings",
    "running",
]
