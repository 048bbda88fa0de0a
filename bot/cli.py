"""The command line: everything that is done outside a messenger."""

import asyncio
import contextlib
import gc
import hashlib
import json
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from bot import clock, evidence, logs, roster, settings, wiring
from bot.channel import Channel, Finding
from bot.channels.wechat import WeChat, account
from bot.doctor import examine
from bot.reading import open_reader, read_with
from complaints import numbers
from complaints.commands import Act
from complaints.conversation import Staff
from complaints.errors import BadInput, Misconfigured, NotAllowed, PlaintError, Unavailable
from complaints.policy import Policy
from complaints.ports import Changes
from complaints.reading import Language
from handlers import agents, duties, lending, rights, routing
from handlers.turn import Batch, Book, Turn
from nlp.evaluate import evaluate
from nlp.reader import KeywordReader
from policies.checker import check as check_policies
from policies.loader import load as load_policy
from policies.phrasebook import Phrasebook
from policies.schema import json_schema
from policies.weights import load as load_weights
from policies.weights import write as write_weights
from storage import KeyRing, Store, Want
from storage.migrations import migrate

app = typer.Typer(
    no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False, help="Plaint (a complaint desk)"
)
staff = typer.Typer(no_args_is_help=True, help="The people who work at the desk.")
app.add_typer(staff, name="staff")
duty = typer.Typer(no_args_is_help=True, help="Recurring work, and its proof.")
app.add_typer(duty, name="duty")
wechat = typer.Typer(no_args_is_help=True, help="The WeChat Official Account: its menu, and codes to scan.")
app.add_typer(wechat, name="wechat")
console = Console()

_CODE_HOURS: Final = 48
_LISTED: Final = 50
_WHAT: Final = {"oldest_at": "oldest", "next_at": "next"}
_LONGEST_SCENE: Final = 64
#: From so many stories on a bar shows how far they are.
_MANY_STORIES: Final = 3
#: Seconds a thread may keep the interpreter: the desk's thread lets go at every statement of the database anyway.
_SWITCH: Final = 0.05


@contextlib.contextmanager
def _plainly() -> Iterator[None]:
    """Say what is wrong in sentences, without a traceback."""
    try:
        yield
    except Misconfigured as error:
        for problem in error.problems:
            _refuse(settings.named(problem))
        raise typer.Exit(2) from None
    except Unavailable as error:
        _refuse(f"{error}. PLAINT_DATABASE_URL says which: does it run, and may this machine use it?")
        raise typer.Exit(1) from None
    except PlaintError as error:
        _refuse(str(error))
        raise typer.Exit(1) from None


def _refuse(problem: str) -> None:
    console.print(f"[red]✗[/red] {escape(problem)}", highlight=False, soft_wrap=True)


def _settings() -> settings.Settings:
    """Read the settings, and keep every secret out of whatever is logged meanwhile."""
    given = settings.load()
    logs.set_up(secrets=given.secrets, lines=True)
    return given


@app.command()
def serve() -> None:
    """Run the desk."""
    with _plainly():
        given = settings.load()
        logs.set_up(secrets=given.secrets)
        _writable(given.data_dir)
        migrate(given.database_url)
        sys.setswitchinterval(_SWITCH)
        asyncio.run(_serve(given))


async def _serve(given: settings.Settings) -> None:
    stop = asyncio.Event()
    for wish in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wish, stop.set)
    async with contextlib.AsyncExitStack() as doors:
        try:
            await doors.enter_async_context(wiring.running(given))
        except OSError as error:
            raise Misconfigured(_unstarted(given, error)) from None
        await stop.wait()


def _writable(folder: Path) -> None:
    """See that files can be kept: the first one may come at night."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Misconfigured(
            f"PLAINT_DATA_DIR: {folder} cannot be written: {error.strerror}. Customers' files are kept there: make it "
            "a folder of the account that runs this."
        ) from None


def _unstarted(given: settings.Settings, error: OSError) -> str:
    """Return what kept the service from starting, and the cure."""
    if error.filename is not None:
        return f"{error.filename} cannot be used: {error.strerror}. Look at PLAINT_DATABASE_URL and PLAINT_DATA_DIR."
    code = error.errno or 0
    reason = os.strerror(code) if code > 0 else error.strerror  # what an unknown host is has a number below 0
    return (
        f"PLAINT_HOST, PLAINT_PORT: {given.host}, {given.port} cannot be listened on: {reason}. "
        "Choose an address of this machine, and a port that is free."
    )


@app.command()
def demo() -> None:
    """Run the desk with sandbox messengers and a phone page, and let a customer complain."""
    from bot import demo as show  # noqa: PLC0415 # only the demo needs it

    with _plainly():
        asyncio.run(show.run())


@app.command("migrate")
def migrate_() -> None:
    """Bring the database up to date."""
    with _plainly():
        migrate(settings.load().database_url)
        console.print("The database is up to date.")


@app.command()
def keys() -> None:
    """Make a fresh key ring for PLAINT_KEYS."""
    console.print(KeyRing.generate().to_setting(), highlight=False, soft_wrap=True)


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="policy files; none: all that ship")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="print the JSON Schema of policy files instead")] = False,
) -> None:
    """Check policies: every mistake of every file, with its line and its cure."""
    if schema:
        sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
        return
    with _plainly():
        folder = wiring.policies_dir(settings.read())
    paths = files or [*sorted(folder.glob("*.yaml")), *sorted((folder / "companies").glob("*.yaml"))]
    problems = check_policies(paths, read=lambda policy, folder: open_reader(policy, folder).read)
    for each in problems:
        _refuse(f"{each.path}:{each.line}: {each.message} {each.cure}")
    if problems:
        raise typer.Exit(1)
    console.print(f"[green]✓[/green] {len(paths)} policy file(s) are right.")


@staff.command("add")
def staff_add(
    name: str,
    roles: Annotated[list[str], typer.Option("--role", help="role id of the policy; may be given several times")],
    language: Annotated[str, typer.Option(help="zh-Hans, zh-Hant or en")] = "zh-Hans",
    person: Annotated[str, typer.Option(help="their staff number: two accounts with the same one are one person")] = "",
) -> None:
    """Add a member of the staff and print the one-time code that binds their chat."""
    with _plainly():
        given = settings.load()
        policy = load_policy(given.company, wiring.policies_dir(given))
        known = {role.id for role in policy.routing.roles}
        if not set(roles) <= known:
            raise Misconfigured(
                f"--role: {', '.join(sorted(set(roles) - known))} is no role. There are: {', '.join(sorted(known))}."
            )
        if language not in ("zh-Hans", "zh-Hant", "en"):
            raise Misconfigured("--language: it is zh-Hans, zh-Hant or en.")
        store = wiring.open_store(given)
        spoken: Language = language  # type: ignore[assignment] # checked above
        member = Staff(id=store.ids.next(), name=name, roles=roles, language=spoken, person=person.strip())
        with contextlib.closing(store):
            console.print(_code(store, member), highlight=False, soft_wrap=True)


@staff.command("code")
def staff_code(member_id: int) -> None:
    """Print a fresh one-time code for a member of the staff (their old chat stays bound until it is used)."""
    with _plainly():
        given = settings.load()
        with contextlib.closing(wiring.open_store(given)) as store:
            with store.read() as ledger:
                member = next((each for each in ledger.staff() if each.id == member_id), None)
            if member is None:
                raise Misconfigured(f"There is no member of the staff with id {member_id}. See `plaint staff list`.")
            console.print(_code(store, member), highlight=False, soft_wrap=True)


def _code(store: Store, member: Staff) -> str:
    code = secrets.token_urlsafe(12)
    now = clock.now()
    member.code_hash = hashlib.sha256(code.encode()).hexdigest()
    member.code_until = now + timedelta(hours=_CODE_HOURS)
    with store.unit(now) as unit:
        unit.load([])
        unit.flush(Changes(staff=[member]))
    return f"{member.name} ({member.id}): send  /start staff-{code}  to the desk within {_CODE_HOURS} hours."


@staff.command("person")
def staff_person(
    member_id: int,
    number: Annotated[str, typer.Argument(help="their staff number; empty: no other account is theirs")],
) -> None:
    """Say whose account it is: two accounts with the same staff number are one person, and sign nothing twice."""
    with _plainly(), contextlib.closing(wiring.open_store(settings.load())) as store:
        with store.unit(clock.now()) as unit:
            known = unit.load([]).staff
            member = known.get(member_id)
            if member is None:
                raise Misconfigured(f"There is no member of the staff with id {member_id}. See `plaint staff list`.")
            member.person = number.strip()
            unit.flush(Changes(staff=[member]))
        same = [f"{each.name} ({each.id})" for each in known.values() if each.who == member.who and each != member]
        whose = f"one person with {', '.join(same)}" if same else "a person of their own"
        console.print(f"{member.name} ({member.id}) is {whose}.", highlight=False, soft_wrap=True)


@staff.command("list")
def staff_list() -> None:
    """List the staff: ids, names, roles, whether their chat is bound, and what they have lent to whom."""
    with _plainly(), contextlib.closing(wiring.open_store(given := settings.load())) as store, store.read() as ledger:
        zone = ZoneInfo(load_policy(given.company, wiring.policies_dir(given)).hours.zone)
        members = {each.id: each for each in ledger.staff()}
        table = Table("id", "name", "person", "roles", "language", "chat", "active", "has lent")
        for each in members.values():
            lent = [
                f"{', '.join(loan.roles)} to {members[loan.to].name} until {loan.ends_at.astimezone(zone):%Y-%m-%d}"
                for loan in each.facts.loans
                if loan.counts(clock.now()) and loan.to in members
            ]
            table.add_row(str(each.id), each.name, each.person or "—", ", ".join(each.roles), each.language,
                          "bound" if each.conversation_id else "—", "yes" if each.active else "no",
                          "; ".join(lent) or "—")  # fmt: skip
        console.print(table)


@staff.command("lend")
def staff_lend(
    lender: Annotated[int, typer.Argument(help="id of the member of the staff whose right it is")],
    borrower: Annotated[int, typer.Argument(help="id of the one who may sign for them")],
    roles: Annotated[list[str], typer.Option("--role", help="role in which they sign; may be given several times")],
    until: Annotated[datetime, typer.Option(help="the last day", formats=["%Y-%m-%d"])],
    paper: Annotated[Path | None, typer.Option(help="the signed letter: a sealed copy is kept, and its hash")] = None,
) -> None:
    """Lend somebody's right to sign approvals, for a time; it is over by itself."""
    with _lending(lender, borrower) as (turn, one, other, given, store):
        ends_at = datetime.combine(until.date(), time(23, 59, 59), turn.book.calendar.zone).astimezone(UTC)
        content, number = _read(paper), store.ids.next() if paper is not None else 0
        digest = hashlib.sha256(content).hexdigest() if paper is not None else ""
        lending.lend(turn, one, other, roles, ends_at, paper=number, paper_sha256=digest)
        if paper is not None:
            evidence.keep_paper(store, given.data_dir / "papers", number, content)
        console.print(f"{other.name} may sign for {one.name} as {', '.join(roles)} until {until:%Y-%m-%d}.")


@staff.command("unlend")
def staff_unlend(
    lender: Annotated[int, typer.Argument(help="id of the member of the staff whose right it is")],
    borrower: Annotated[int, typer.Argument(help="id of the one who has signed for them")],
) -> None:
    """Take back whatever was lent to somebody."""
    with _lending(lender, borrower) as (turn, one, other, _, _):
        lending.unlend(turn, one, other)
        console.print(f"{other.name} does not sign for {one.name} any more.")


@contextlib.contextmanager
def _lending(lender: int, borrower: int) -> Iterator[tuple[Turn, Staff, Staff, settings.Settings, Store]]:
    """Open a turn with two members of the staff, and commit it; what is refused is told and changes nothing."""
    with _plainly(), contextlib.closing(wiring.open_store(given := settings.load())) as store:
        now, book = clock.now(), _book(given, store)
        with store.unit(now) as unit:
            scene, batch = unit.load([]), Batch()
            for id_ in (lender, borrower):
                if id_ not in scene.staff or not scene.staff[id_].active:
                    raise Misconfigured(f"There is no member of the staff with id {id_}. See `plaint staff list`.")
            turn = Turn(book, scene, unit.ledger, batch, now)
            try:
                yield turn, scene.staff[lender], scene.staff[borrower], given, store
            except (NotAllowed, BadInput) as error:
                raise Misconfigured(turn.say("en", error.key, **error.values)) from None
            turn.finish()
            unit.flush(batch.changes, sends=False)


def _read(paper: Path | None) -> bytes:
    try:
        return paper.read_bytes() if paper is not None else b""
    except OSError as error:
        raise Misconfigured(f"--paper: {error}") from error


@staff.command("remove")
def staff_remove(member_id: int) -> None:
    """Take a member of the staff off the desk: they see and do nothing any more."""
    with _plainly(), contextlib.closing(wiring.open_store(given := settings.load())) as store:
        now = clock.now()
        book = _book(given, store)
        with store.unit(now) as unit:
            with store.read() as ledger:
                known = next((each for each in ledger.staff() if each.id == member_id), None)
            if known is None:
                raise Misconfigured(f"There is no member of the staff with id {member_id}. See `plaint staff list`.")
            scene = unit.load([] if known.conversation_id is None else [Want(conversation_id=known.conversation_id)])
            member, batch = scene.staff[member_id], Batch()
            turn = Turn(book, scene, unit.ledger, batch, now)
            agents.leave(turn, member)
            turn.finish()
            unit.flush(batch.changes, sends=False)
        console.print(f"{member.name} is off the desk.")


@staff.command("roster")
def staff_roster(
    file: Annotated[Path, typer.Argument(help="a CSV with the columns staff, roles, from, until; local times")],
) -> None:
    """Say who is on call when: while somebody is, they are told what their roles are told. No roles: who is away."""
    with _plainly(), contextlib.closing(wiring.open_store(given := settings.load())) as store:
        policy = load_policy(given.company, wiring.policies_dir(given))
        now = clock.now()
        with store.unit(now) as unit:
            members = list(unit.load([]).staff.values())
            rows = roster.read(file, members, policy.routing, ZoneInfo(policy.hours.zone))
            changed = roster.apply(rows, members, now)
            unit.flush(Changes(staff=changed))
        console.print(f"{len(rows)} rows; the roster of {len(changed)} member(s) of the staff has changed.")


@staff.command("away")
def staff_away(
    member_id: int,
    since: Annotated[str, typer.Option("--from", help="local time, e.g. 2025-03-03 18:00")],
    until: Annotated[str, typer.Option("--until", help="local time, e.g. 2025-03-10 09:00")],
) -> None:
    """Say that a member of the staff is away: they are told nothing, and others are instead."""
    with _plainly(), contextlib.closing(wiring.open_store(given := settings.load())) as store:
        policy = load_policy(given.company, wiring.policies_dir(given))
        shift = roster.stretch(since, until, ZoneInfo(policy.hours.zone))
        if isinstance(shift, list):
            raise Misconfigured(*(f"--{each}" for each in shift))
        now = clock.now()
        with store.unit(now) as unit:
            member = unit.load([]).staff.get(member_id)
            if member is None or not member.active:
                raise Misconfigured(f"There is no member of the staff with id {member_id}. See `plaint staff list`.")
            unit.flush(Changes(staff=roster.apply([roster.Row(member=member_id, shift=shift)], [member], now)))
        console.print(f"{member.name} is away from {since} until {until}.")


@duty.command("list")
def duty_list() -> None:
    """List what is to be done, and what was missed."""
    with _plainly(), contextlib.closing(wiring.open_store(given := settings.load())) as store:
        policy = load_policy(given.company, wiring.policies_dir(given))
        zone = ZoneInfo(policy.hours.zone)
        table = Table("id", "duty", "period", "who", "due", "state")
        with store.read() as ledger:
            for run in [*ledger.open_duties(), *ledger.duties.missed(_LISTED)]:
                what = policy.duty(run.duty)
                table.add_row(str(run.id), what.title["en"] if what else run.duty, run.period,
                              ", ".join(what.to) if what else "", f"{run.due_at.astimezone(zone):%Y-%m-%d %H:%M}",
                              run.state)  # fmt: skip
        console.print(table)


@duty.command("done")
def duty_done(
    duty_id: Annotated[int, typer.Argument(help="see `plaint duty list`")],
    by: Annotated[int, typer.Option(help="id of the member of the staff who did it")],
    note: Annotated[str, typer.Option(help="what was done, and what was found")] = "",
    file: Annotated[Path | None, typer.Option(help="the proof: its hash is recorded, a sealed copy is kept")] = None,
) -> None:
    """Take a duty as done, with its proof."""
    with _plainly(), contextlib.closing(wiring.open_store(given := settings.load())) as store:
        book, now = _book(given, store), clock.now()
        try:
            content = file.read_bytes() if file is not None else b""
        except OSError as error:
            raise Misconfigured(f"--file: {error}") from error
        paper = hashlib.sha256(content).hexdigest() if file is not None else ""
        with store.unit(now) as unit:
            scene, batch = unit.load([]), Batch()
            member = scene.staff.get(by)
            if member is None:
                raise Misconfigured(f"--by: there is no member of the staff with id {by}. See `plaint staff list`.")
            turn = Turn(book, scene, unit.ledger, batch, now)
            try:
                run = duties.done(turn, member, duty_id, note, paper_sha256=paper)
            except PlaintError as error:
                raise Misconfigured(turn.say("en", error.key, **error.values)) from None
            if file is not None:
                evidence.keep_paper(store, given.data_dir / "papers", run.id, content)
            unit.flush(batch.changes, sends=False)
        console.print(f"{run.duty} {run.period}: done.")


@app.command()
def doctor() -> None:
    """Ask every platform what is wrong with its account; exit code 1 if something is."""
    with _plainly():
        found = asyncio.run(_examined(_settings()))
        for name, findings in found.items():
            table = Table("", name, "what to know", show_lines=False)
            for each in findings:
                table.add_row("[green]✓[/green]" if each.ok else "[red]✗[/red]", each.name, escape(each.detail))
            console.print(table)
        if not all(each.ok for findings in found.values() for each in findings):
            raise typer.Exit(1)


async def _examined(given: settings.Settings) -> dict[str, list[Finding]]:
    async with wiring.calling(given) as channels:
        return await examine(channels, given)


@wechat.command("menu")
def wechat_menu(
    replace: Annotated[bool, typer.Option("--replace", help="replace another menu that is there")] = False,
) -> None:
    """Install the menu: new complaint, my complaints, a human. A different menu stays unless you say --replace."""
    with _plainly():
        given = _settings()
        wording = Phrasebook.load(wiring.policies_dir(given) / "wording")
        language = load_policy(given.company, wiring.policies_dir(given)).languages[0]
        buttons = [
            account.Button(label=wording.say(language, f"menu.{name}"), key=key)
            for name, key in (("new", "NEW_CASE"), ("status", "MY_CASES"), ("human", "HUMAN"))
        ]
        done, present = asyncio.run(_menu(given, buttons, replace=replace))
        if done == "kept":
            shown = ", ".join(each.label for each in present)
            told = f"There is another menu ({shown}); nothing was changed. To replace it: plaint wechat menu --replace"
            console.print(told, highlight=False, soft_wrap=True, markup=False)
            raise typer.Exit(1)
        console.print(f"The menu is {done}.")


async def _menu(
    given: settings.Settings, buttons: list[account.Button], *, replace: bool
) -> tuple[str, Sequence[account.Button]]:
    async with wiring.calling(given) as channels:
        api = _wechat(channels).api
        try:
            return await account.install(api, buttons, replace=replace), await account.menu(api)
        except account.Unanswered as error:
            raise Misconfigured(f"WeChat: {error}. See: plaint doctor") from error


def _wechat(channels: Mapping[str, Channel]) -> WeChat:
    for channel in channels.values():
        if isinstance(channel, WeChat):
            return channel
    raise Misconfigured("PLAINT_WECHAT_APP_ID: missing. It is needed for this.")


@wechat.command("code")
def wechat_code(
    given_values: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE…", help="order_no=PO-1 model=LX2 type=…")],
) -> None:
    """Make a code to scan: who scans it is heard with these values, and is not asked for them."""
    with _plainly():
        given = _settings()
        policy = load_policy(given.company, wiring.policies_dir(given))
        pairs = [each.partition("=") for each in given_values]
        wrong = [name for name, _, value in pairs if not value or not (name == "type" or policy.form.has(name))]
        scene = "--".join(f"{name}--{value}" for name, _, value in pairs)
        if wrong:
            fields = ", ".join(["type", *(each.id for each in policy.form.fields)])
            raise Misconfigured(f"{', '.join(wrong)}: no such field, or no value. There are: {fields}.")
        if len(scene) > _LONGEST_SCENE:
            raise Misconfigured(f"The values are too long: {len(scene)} characters of {_LONGEST_SCENE}.")
        code = asyncio.run(_coded(given, scene))
        console.print(f"{code.picture}\n(the picture of the code; it says {code.url})", highlight=False, soft_wrap=True)


async def _coded(given: settings.Settings, scene: str) -> account.Code:
    async with wiring.calling(given) as channels:
        try:
            return await account.qrcode(_wechat(channels).api, scene)
        except account.Unanswered as error:
            raise Misconfigured(f"WeChat: {error}. See: plaint doctor") from error


@app.command()
def act(
    number: Annotated[str, typer.Argument(help="the case's number")],
    what: Annotated[str, typer.Argument(help="claim, reply, note, ask, release, retype, or a move of the lifecycle")],
    by: Annotated[int, typer.Option(help="id of the member of the staff, see `plaint staff list`")],
    text: Annotated[str, typer.Option(help="what is written")] = "",
    type_: Annotated[str, typer.Option("--type", help="the complaint type, for retype")] = "",
    detail: Annotated[str, typer.Option(help="what is chosen: a department, a grade as NAME=VALUE, a colleague")] = "",
    given_values: Annotated[
        list[str] | None, typer.Option("--with", metavar="NAME=VALUE", help="what else an act takes")
    ] = None,
    key: Annotated[str, typer.Option(help="an id of your own: the same key is served once")] = "",
) -> None:
    """Let a member of the staff do something with a case, once."""
    with _plainly():
        given = settings.load()
        with contextlib.closing(wiring.open_store(given)) as store:
            book = _book(given, store)
            plain = numbers.parse(number, book.current.number.prefix)
            with store.read() as ledger:
                case = ledger.case_by_number(plain) if plain else None
            if case is None:
                raise Misconfigured(f"There is no case {number}.")
            kinds = [each.id for each in book.policies[case.policy].taxonomy.types]
            if what == "retype" and type_ not in kinds:
                raise Misconfigured(f"--type: {type_ or 'missing'}. There are: {', '.join(kinds)}.")
            values = {"text": text, "detail": detail or type_, **_pairs(given_values)}
            command = Act(staff_id=by, case_id=case.id, act=what, values=values, key=key)
            now = clock.now()
            with store.unit(now) as unit:
                if key and not unit.record([key]):
                    console.print(f"{case.number}: this was done before.")
                    return
                scene = unit.load([Want(case_id=case.id)])
                batch = Batch()
                turn = Turn(book, scene, unit.ledger, batch, now)
                try:
                    routing.serve(command, turn)
                except (NotAllowed, BadInput) as error:
                    raise Misconfigured(_denied(turn, case.id, by, error)) from None
                unit.flush(batch.changes, sends=False)  # the service sends
            console.print(f"{case.number}: done.")


def _pairs(given: Sequence[str] | None) -> dict[str, str]:
    pairs = [each.partition("=") for each in given or ()]
    wrong = [name for name, mark, _ in pairs if not mark]
    if wrong:
        raise Misconfigured(f"--with {wrong[0]}: write NAME=VALUE.")
    return {name: value for name, _, value in pairs}


def _book(given: settings.Settings, store: Store) -> Book:
    """Open the book as the service has it, so that what is told has numbers or buttons, and ways to the page."""
    book = wiring.open_book(given, store)
    wiring.open_channels(given, book, wiring.open_outside(given, store, clock.now))
    return book


def _denied(turn: Turn, case_id: int, by: int, error: PlaintError) -> str:
    """Return why an act was refused, and what this member of the staff may do instead."""
    member, case = turn.scene.staff.get(by), turn.case(case_id)
    if member is None or not member.active or case is None:
        return f"--by: there is no member of the staff with id {by}. See `plaint staff list`."
    acts = [each for each in rights.ACTS if rights.may_act(turn, case, member, each)]
    acts += [move.id for move in rights.moves(turn, case, member=member)]
    return f"{turn.say('en', error.key, **error.values)} {member.name} may now: {', '.join(acts) or 'nothing'}."


@app.command()
def tray(
    again: Annotated[bool, typer.Option("--again", help="let everything dead be tried again")] = False,
) -> None:
    """Show what waits and what is dead in inbox, outbox and spool: nothing is dropped silently."""
    with _plainly(), contextlib.closing(wiring.open_store(given := settings.load())) as store:
        spool = wiring.open_spool(given, store).count()
        with store.read() as ledger:
            trays = ledger.trays()
            letters, hears = ledger.dead_letters(100), ledger.dead_hears(100)
        table = Table("tray", "what", "value")
        rows = sorted((*name.split("_", 1), value) for name, value in asdict(trays).items() if name != "next_timer_at")
        for tray_name, what, value in (*rows, ("timers", "next_at", trays.next_timer_at)):
            shown = "—" if value is None else f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else value
            table.add_row(tray_name, _WHAT.get(what, what), str(shown))
        for what, number in asdict(spool).items():
            table.add_row("spool", _WHAT.get(what, what), str(number))
        console.print(table)
        for each in letters:
            console.print(f"outbox {each.letter.id}: {each.error}", highlight=False)
            if again:
                store.revive_letter(each.letter.id, clock.now())
        for dead in hears:
            console.print(f"inbox {dead.key}: {dead.error}", highlight=False)
            if again:
                store.revive_hear(dead.key, clock.now())
        if again:
            console.print(f"{len(letters) + len(hears)} will be tried again.")


@app.command("classify")
def classify_(
    text: Annotated[str, typer.Argument(help="a text to read; or use --eval")] = "",
    company: Annotated[str, typer.Option(help="the policy to read with; none: the one that is set")] = "",
    train: Annotated[list[Path] | None, typer.Option(help="learn from these labelled texts first")] = None,
    beside: Annotated[
        list[Path] | None, typer.Option(help="with --train: texts that weigh its words and bring none of their own")
    ] = None,
    eval_: Annotated[Path | None, typer.Option("--eval", help="a TSV with the columns text and label")] = None,
    out: Annotated[Path | None, typer.Option(help="write what was learned; with --company: weights/ID.yaml")] = None,
    several: Annotated[
        bool, typer.Option("--several", help="a text may have several labels, separated by spaces, or none")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the full reading of each line")] = False,
    compare: Annotated[
        tuple[str, str] | None, typer.Option(help="two lexicons: kept versions, files, or now; what changes?")
    ] = None,
    propose: Annotated[bool, typer.Option("--propose", help="the words that corrected cases propose")] = False,
    accept: Annotated[list[str] | None, typer.Option(help="a proposed word and its type: WORD=TYPE")] = None,
    last: Annotated[int, typer.Option(min=1, help="the number of cases to compare with, or to learn from")] = 500,
) -> None:
    """Read a text, measure the reader on labelled ones, or teach it."""
    from bot import classify  # noqa: PLC0415 # only this command needs it

    with _plainly():
        given = settings.read()
        folder = wiring.policies_dir(given)
        policy = load_policy(company or given.company, folder)
        reader = open_reader(policy, folder)
        if compare is not None or propose:
            with contextlib.closing(wiring.open_store(settings.load())) as store:
                if compare is not None:
                    _compare(store, policy, folder, compare, last)
                else:
                    _propose(store, policy, folder, last)
            return
        if accept:
            console.print(f"{classify.accept(accept, policy, folder)}: {len(accept)} added.", highlight=False)
            return
        if train:
            before = load_weights(folder, policy.id) if company else None
            with _working("learning"):
                learned = classify.trained(
                    classify.rows(train),
                    policy if company else None,
                    before,
                    several=several,
                    beside=classify.rows(beside) if beside else (),
                )
            reader = read_with(policy, learned) if company else classify.reader_of_labels(learned)
            console.print(f"learned {len(learned.words)} words from {learned.texts} texts", highlight=False)
            if out is not None:
                write_weights(learned, out)
                console.print(f"written: {out}", highlight=False)
        if eval_ is not None:
            _measured(reader, eval_, as_json=as_json)
        elif text or not train:
            console.print_json(json.dumps(asdict(reader.read(text)), ensure_ascii=False))


@contextlib.contextmanager
def _working(what: str) -> Iterator[None]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        progress.add_task(what, total=None)
        yield


def _measured(reader: KeywordReader, file: Path, *, as_json: bool) -> None:
    from bot import classify  # noqa: PLC0415 # only this command needs it

    rows = classify.rows([file])
    if as_json:
        for row in rows:
            sys.stdout.write(json.dumps(asdict(reader.read(row.text)), ensure_ascii=False) + "\n")
        return
    report = evaluate(reader, rows)
    console.print(
        f"{report.total} texts, accuracy {report.accuracy:.3f}, with acceptable labels {report.lenient:.3f}, "
        f"among the best three {report.top3:.3f}, macro-F1 {report.macro_f1:.3f}"
    )
    table = Table("label", "said", "read as", "count")
    for label, read_as in sorted(report.confusion.items()):
        for predicted, count in sorted(read_as.items(), key=lambda each: -each[1]):
            table.add_row(label, "✓" if label == predicted else "✗", predicted, str(count))
    console.print(table)


def _compare(store: Store, policy: Policy, folder: Path, names: tuple[str, str], last: int) -> None:
    from bot import classify  # noqa: PLC0415 # only this command needs it

    old, new = (classify.lexicon(name, store, policy, folder) for name in names)
    with _working("reading"):
        total, differences = classify.compare(store, policy, (old, new), last)
    right = sum(each.after == each.now for each in differences)
    wrong = sum(each.before == each.now for each in differences)
    console.print(
        f"{total} cases, {len(differences)} read otherwise: {right} as they are typed now, {wrong} not any more."
    )
    table = Table("case", "before", "after", "typed now")
    for each in differences[:_LISTED]:
        table.add_row(each.number, each.before, each.after, each.now)
    console.print(table)


def _propose(store: Store, policy: Policy, folder: Path, last: int) -> None:
    from bot import classify  # noqa: PLC0415 # only this command needs it

    with _working("reading"):
        found = classify.proposals(store, policy, load_weights(folder, policy.id), last)
    table = Table("add", "to", "cases", "precision")
    for each in found:
        table.add_row(each.word, each.type, str(each.inside), f"{each.precision:.2f}")
    console.print(table)
    console.print("Nothing changes by itself. To accept one: plaint classify --accept WORD=TYPE", highlight=False)


@app.command("story")
def story(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="stories: YAML, or Markdown with fenced YAML")],
    show: Annotated[bool, typer.Option("--show", help="print who was told what when, too")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print everything for another program instead")] = False,
) -> None:
    """Play stories on a clock of their own, and check what comes of them; exit code 1 if an expectation fails."""
    from bot import stories  # noqa: PLC0415 # only this command needs it

    with _plainly():
        folder = wiring.policies_dir(settings.read())
        logs.set_up(secrets=[], lines=True)
        read = [stories.read(path) for path in files]
        scripts = [script for found, _ in read for script in found]
        problems = [problem for _, found in read for problem in found]
        with Progress(console=Console(stderr=True), transient=True, disable=len(scripts) < _MANY_STORIES) as progress:
            outcomes = [stories.play(each, folder) for each in progress.track(scripts, description="playing")]
        if as_json:
            sys.stdout.write(json.dumps(stories.as_json(outcomes, problems), ensure_ascii=False, indent=2) + "\n")
        else:
            for each in problems:
                _refuse(str(each))
            stories.show(console, outcomes, transcript=show)
        if problems or not all(each.well for each in outcomes):
            raise typer.Exit(1)


@app.command("verify-journal")
def verify_journal() -> None:
    """Check every chain of the journal; exit code 1 and the broken places if one does not hold."""
    with _plainly(), contextlib.closing(wiring.open_store(settings.load())) as store:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("checking the journal", total=None)
            report = store.verify_journal(lambda events, _: progress.update(task, completed=events))
        for each in report.broken:
            console.print(f"[red]✗[/red] case {each.number}, event {each.seq}: {each.problem}", highlight=False)
        console.print(
            f"{report.events} events of {report.cases} cases: {'broken' if report.broken else 'all in order'}."
        )
        if report.broken:
            raise typer.Exit(1)


def main() -> None:
    """Run the command line."""
    gc.freeze()  # what was imported lives as long as the process: the collector need not walk it again
    app()
