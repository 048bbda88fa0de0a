"""Settings: the environment, checked as a whole. Every problem is named at once, with its cure."""

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

from complaints.errors import Misconfigured

_PREFIX: Final = "PLAINT_"
_LEAST_SECRET: Final = 16
_DOMAIN_CODE: Final = re.compile(r"[A-Za-z0-9]{1,64}")


class Settings(BaseSettings):
    """What whoever runs the desk decides. Each field is the environment variable `PLAINT_` + its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: str = Field(
        default="sqlite:///data/plaint.sqlite3",
        description="where everything is kept: sqlite:///FILE, or postgresql+psycopg://USER:PASSWORD@HOST/NAME",
    )
    company: str = Field(default="trade_003", description="the policy: its id in POLICIES_DIR, or a path to a file")
    policies_dir: Path | None = Field(
        default=None, description="a folder of policy files; empty: those that ship with Plaint"
    )
    readings: str = Field(
        default="", description="sentences of the rule book that count otherwise than in its file: NAME=READING,…"
    )
    keys: SecretStr = Field(
        default=SecretStr(""),
        description="seals words and personal data: kid:base64,… (first is current); see `plaint keys`",
    )
    data_dir: Path = Field(
        default=Path("data"), description="a folder for sealed files: evidence, and what waits to be written down"
    )
    orders: Path | None = Field(
        default=None, description="a CSV file of the company's orders, read again when it changes; empty: none"
    )
    orders_columns: str = Field(
        default="", description="what its columns are called, where otherwise: order_no=NAME,amount=NAME"
    )
    host: str = Field(default="127.0.0.1", description="the address the service listens on")
    port: int = Field(default=8080, ge=0, le=65535, description="the port the service listens on")
    public_url: str = Field(default="", description="https address under which the platforms reach this service")
    telegram_token: SecretStr = Field(default=SecretStr(""), description="the bot's token from @BotFather")
    telegram_api_url: str = Field(
        default="https://api.telegram.org", description="the Bot API (or a local Bot API server)"
    )
    telegram_mode: Literal["polling", "webhook"] = Field(
        default="polling", description="how updates come: polling or webhook"
    )
    telegram_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="1 to 256 of A-Za-z0-9_-; required for webhook mode"
    )
    telegram_agent_chat: str = Field(default="", description="id of the staff's group chat, e.g. -1001234567890")
    telegram_proxy: str = Field(default="", description="http://HOST:PORT for all calls to Telegram; empty: none")
    wechat_app_id: str = Field(default="", description="AppID of the WeChat Official Account; empty: no WeChat")
    wechat_secret: SecretStr = Field(default=SecretStr(""), description="AppSecret of the Official Account")
    wechat_token: SecretStr = Field(default=SecretStr(""), description="the Token of the account's server settings")
    wechat_aes_key: SecretStr = Field(
        default=SecretStr(""), description="EncodingAESKey, 43 characters; empty: plain mode only"
    )
    wechat_api_url: str = Field(default="https://api.weixin.qq.com", description="WeChat's API")
    wechat_kind: Literal["service", "subscription", "test"] = Field(
        default="service", description="what the account is: service (verified), subscription or test"
    )
    wechat_templates: str = Field(
        default="",
        description="notices, comma separated: progress=TEMPLATE_ID (or ID:thing1+time2), subscribe=TEMPLATE_ID",
    )
    wechat_forward_url: str = Field(
        default="", description="another system that shares the callback and gets what is no complaint; empty: none"
    )
    wechat_domain_code: str = Field(default="", description="the code in the name of MP_verify_CODE.txt; empty: none")
    wecom_corp_id: str = Field(default="", description="id of the WeCom corporation; empty: no WeCom")
    wecom_agent_id: str = Field(default="", description="AgentId of the WeCom application")
    wecom_secret: SecretStr = Field(default=SecretStr(""), description="Secret of the WeCom application")
    wecom_token: SecretStr = Field(default=SecretStr(""), description="Token of the application's callback")
    wecom_aes_key: SecretStr = Field(default=SecretStr(""), description="EncodingAESKey of the callback, 43 characters")
    wecom_api_url: str = Field(default="https://qyapi.weixin.qq.com", description="WeCom's API")
    wecom_robot_url: SecretStr = Field(
        default=SecretStr(""), description="webhook of a WeCom group robot: the staff's room; empty: none"
    )

    alarm_url: SecretStr = Field(
        default=SecretStr(""),
        description="webhook that telephones for the company when nobody acknowledges an alarm; empty: none",
    )
    alarm_secret: SecretStr = Field(
        default=SecretStr(""), description="signs what is posted to ALARM_URL (HMAC-SHA256); 16 characters or more"
    )

    @property
    def templates(self) -> dict[str, str]:
        """The notices of WeChat by name."""
        return dict(_pairs(self.wechat_templates))

    @property
    def chosen_readings(self) -> dict[str, str]:
        """The readings of the rule book that count otherwise than in its file, by name."""
        return dict(_pairs(self.readings))

    @property
    def order_columns(self) -> dict[str, str]:
        """The company's names for the columns of its orders, by ours."""
        return dict(_pairs(self.orders_columns))

    @property
    def secrets(self) -> list[str]:
        """Everything that must never show in a log."""
        values = [getattr(self, name) for name, each in type(self).model_fields.items() if each.annotation is SecretStr]
        found = [value.get_secret_value() for value in values if value.get_secret_value()]
        found += [part.partition(":")[2] for part in self.keys.get_secret_value().split(",") if ":" in part]
        if "@" in self.database_url and ":" in self.database_url.partition("://")[2]:
            found.append(self.database_url.partition("://")[2].partition("@")[0].partition(":")[2])
        return found


def read(**given: object) -> Settings:
    """Read the settings, for what needs no service; Misconfigured names those that have no such value."""
    try:
        return Settings(**given)  # type: ignore[arg-type] # pydantic checks them
    except ValidationError as error:
        wrong = [(str(each["loc"][0]) if each["loc"] else "settings", each["msg"]) for each in error.errors()]
        problems = [f"{_PREFIX}{name.upper()}: {message}. It is {_about(name)}." for name, message in wrong]
        raise Misconfigured(*problems) from None  # the values stay out of the trace: some are secrets


def load(**given: object) -> Settings:
    """Read the settings from the environment; Misconfigured names every one that is wrong or missing, and the cure."""
    problems = list(_unknown(given.get("_env_file", Settings.model_config.get("env_file"))))
    try:
        settings = read(**given)
    except Misconfigured as error:
        raise Misconfigured(*problems, *error.problems) from None
    if not settings.keys.get_secret_value():
        problems.append(
            "PLAINT_KEYS: missing. Make one with `plaint keys` and keep it safe: without it nothing can be read."
        )
    if not settings.telegram_token.get_secret_value() and not settings.wechat_app_id:
        problems.append(
            "PLAINT_TELEGRAM_TOKEN or PLAINT_WECHAT_APP_ID: missing. Customers need a way in: talk to @BotFather in "
            "Telegram, send /newbot, and copy the token; or copy the AppID of a WeChat Official Account."
        )
    problems += _missing(
        settings, "wechat_app_id", ("secret", "token"), optional=("aes_key", "templates", "forward_url", "domain_code")
    )
    problems += _missing(settings, "wecom_corp_id", ("agent_id", "secret", "token", "aes_key"), optional=("robot_url",))
    if settings.telegram_token.get_secret_value() and settings.telegram_mode == "webhook":
        if not settings.telegram_webhook_secret.get_secret_value():
            problems.append("PLAINT_TELEGRAM_WEBHOOK_SECRET: missing. Webhook mode needs one: 1 to 256 of A-Za-z0-9_-.")
        if not settings.public_url:
            problems.append("PLAINT_PUBLIC_URL: missing. Webhook mode needs the https address that Telegram can reach.")
    if (settings.wechat_app_id or settings.wecom_corp_id) and not settings.public_url:
        problems.append("PLAINT_PUBLIC_URL: missing. WeChat and WeCom post to it, and customers' own pages lie there.")
    problems += _alarm(settings)
    problems += _malformed(settings)
    if problems:
        raise Misconfigured(*problems)
    return settings


def named(problem: str) -> str:
    """Return a problem with the whole name of the setting it begins with: the rest of the house knows no prefix."""
    return _PREFIX + problem if problem.partition(":")[0].lower() in Settings.model_fields else problem


def _unknown(files: object) -> Iterator[str]:
    """Yield what is wrong with the names in the file; the environment may hold more that others have put there."""
    if not isinstance(files, str | Path):
        return
    names = [f"{_PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in map(str.upper, DotEnvSettingsSource(Settings, env_file=files).env_vars):
        if name.startswith(_PREFIX) and name not in names:
            near = difflib.get_close_matches(name, names, 1)
            yield f"{name}: there is no such setting in Plaint." + (f" Do you mean {near[0]}?" if near else "")


def _missing(settings: Settings, switch: str, names: Sequence[str], *, optional: Sequence[str]) -> Iterator[str]:
    """Yield what is missing of a platform that its id switches on, or what is given of one that is not."""
    platform = switch.partition("_")[0]
    present = bool(getattr(settings, switch))
    for name in (*names, *optional):
        variable = f"{_PREFIX}{platform}_{name}".upper()
        given = bool(_plain(getattr(settings, f"{platform}_{name}")))
        if present and not given and name in names:
            yield f"{variable}: missing ({_about(f'{platform}_{name}')})."
        if given and not present:
            yield f"{variable}: set, but {_PREFIX}{switch.upper()} is not: set that too, or leave this one empty."


def _alarm(settings: Settings) -> Iterator[str]:
    """Yield what is wrong with the webhook of the call-outs."""
    url, secret = settings.alarm_url.get_secret_value(), settings.alarm_secret.get_secret_value()
    if url and not _is_address(url):
        yield "PLAINT_ALARM_URL: is no address; it begins with https:// and names a host."
    if url and len(secret) < _LEAST_SECRET:
        yield (
            f"PLAINT_ALARM_SECRET: missing or shorter than {_LEAST_SECRET} characters ({_about('alarm_secret')}). "
            "Make one with `openssl rand -hex 32`, and tell it whoever gets the call-outs."
        )
    if secret and not url:
        yield "PLAINT_ALARM_SECRET: set, but PLAINT_ALARM_URL is not: set that too, or leave this one empty."


def _malformed(settings: Settings) -> Iterator[str]:
    """Yield what cannot work because of how it is written."""
    for name in ("public_url", "wechat_forward_url"):
        if (given := getattr(settings, name)) and not _is_address(given):
            yield f"{_PREFIX}{name.upper()}: is no address; it begins with https:// and names a host."
    if settings.wechat_domain_code and not _DOMAIN_CODE.fullmatch(settings.wechat_domain_code):
        yield "PLAINT_WECHAT_DOMAIN_CODE: is no code; of MP_verify_CODE.txt it is the letters and digits of CODE."
    for name, value in _pairs(settings.wechat_templates):
        if not (name and value):
            yield f"PLAINT_WECHAT_TEMPLATES: {(name or value)!r} is not of the form progress=TEMPLATE_ID."
    for name, value in _pairs(settings.readings):
        if not (name and value):
            yield f"PLAINT_READINGS: {(name or value)!r} is not of the form NAME=READING."


def _pairs(given: str) -> list[tuple[str, str]]:
    """Return the pairs of a setting such as `name=value,other=value`; without the mark one of both is empty."""
    pairs = (each.partition("=") for each in given.split(",") if each.strip())
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _is_address(given: str) -> bool:
    try:
        parts = urlsplit(given)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # brackets or a port that are none
        return False


def _plain(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _about(name: str) -> str:
    field = Settings.model_fields.get(name)
    return (field.description or name) if field is not None else "not known"


def example() -> str:
    """Return `.env.example`: every setting, what it means, and its default."""
    lines = ["# Copy to .env and fill in. Every setting of Plaint stands here, with its default.", ""]
    for name, field in Settings.model_fields.items():
        default = field.default
        text = default.get_secret_value() if isinstance(default, SecretStr) else "" if default is None else str(default)
        lines += [f"# {field.description}", f"PLAINT_{name.upper()}={text}", ""]
    return "\n".join(lines)
