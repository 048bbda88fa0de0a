"""The settings: every mistake is named with its setting and its cure, and none is passed over in silence."""

from pathlib import Path

import pytest

from bot import settings
from complaints.errors import Misconfigured

WECHAT = {
    "public_url": "https://desk.example.com",
    "keys": "k1:notlookedathere",
    "wechat_app_id": "wx0123",
    "wechat_secret": "a-secret-word",
    "wechat_token": "atoken",
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(f"PLAINT_{name.upper()}", raising=False)


def problems(**given: object) -> tuple[str, ...]:
    with pytest.raises(Misconfigured) as caught:
        settings.load(**{"_env_file": None, **WECHAT, **given})
    return caught.value.problems


def test_a_customers_way_in_by_wechat_alone_is_enough() -> None:
    assert settings.load(_env_file=None, **WECHAT).wechat_app_id == "wx0123"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("public_url", "desk.example.com"),
        ("public_url", "https://"),
        ("public_url", "https://desk.example.com:port"),
        ("wechat_forward_url", "other/callback"),
        ("wechat_domain_code", "MP_verify_abc.txt"),
        ("wechat_templates", "progress"),
        ("wechat_templates", "progress=,subscribe=ID"),
        ("wechat_templates", "progress=ID,=OTHER"),
        ("readings", "R2"),
        ("readings", "approval_matrix=,other=R2"),
        ("readings", "other=R2,=R1"),
        ("wechat_kind", "large"),
        ("port", "99999"),
    ],
)
def test_what_cannot_work_is_named_by_its_setting(name: str, value: str) -> None:
    assert [each.partition(":")[0] for each in problems(**{name: value})] == [f"PLAINT_{name.upper()}"]


@pytest.mark.parametrize("value", ["https://desk.example.com/", "http://127.0.0.1:8080", "https://[::1]:8443/plaint"])
def test_every_address_that_can_be_reached_is_taken(value: str) -> None:
    assert settings.load(_env_file=None, **{**WECHAT, "public_url": value}).public_url == value


@pytest.mark.parametrize("name", ["secret", "token", "aes_key", "templates", "forward_url", "domain_code"])
def test_what_is_set_of_a_platform_that_is_off_names_what_switches_it_on(name: str) -> None:
    off = {"wechat_app_id": "", "wechat_secret": "", "wechat_token": "", "telegram_token": "1:abc"}
    value = {"templates": "progress=ID", "forward_url": "https://other.example", "domain_code": "abc"}.get(name, "word")

    (told,) = problems(**{**off, f"wechat_{name}": value})

    assert told.startswith(f"PLAINT_WECHAT_{name.upper()}: ")
    assert "PLAINT_WECHAT_APP_ID" in told


def test_a_name_that_is_mistyped_in_the_file_is_no_silence(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PLAINT_WECHAT_FORWARD_ULR=https://other.example\nOTHER_PROGRAM=1\n", encoding="utf-8")

    (told,) = problems(_env_file=file)

    assert told.startswith("PLAINT_WECHAT_FORWARD_ULR: ")
    assert "PLAINT_WECHAT_FORWARD_URL" in told


@pytest.mark.parametrize("wrong", [{"wechat_token": ""}, {"port": "a-secret-word"}, {"public_url": "a-secret-word"}])
def test_no_value_of_a_secret_is_told(wrong: dict[str, str]) -> None:
    told = "\n".join(problems(wecom_secret="very-hidden", **wrong))

    assert "PLAINT_" in told
    assert not any(word in told for word in ("very-hidden", "a-secret-word", WECHAT["wechat_secret"]))


def test_what_the_rest_of_the_house_calls_by_its_short_name_gets_the_whole_one() -> None:
    assert settings.named("KEYS: no key here opens this database") == "PLAINT_KEYS: no key here opens this database"
    assert settings.named("DATA_DIR: data cannot be used").startswith("PLAINT_DATA_DIR: ")
    assert settings.named("There is no case TR26-1.") == "There is no case TR26-1."


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"alarm_url": "https://calls.example/x"}, "ALARM_SECRET"),
        ({"alarm_url": "https://calls.example/x", "alarm_secret": "too short"}, "ALARM_SECRET"),
        ({"alarm_url": "calls.example", "alarm_secret": "a" * 32}, "ALARM_URL"),
        ({"alarm_secret": "a" * 32}, "ALARM_SECRET"),
    ],
)
def test_a_call_out_needs_an_address_and_a_secret_that_is_long_enough(given: dict[str, str], named: str) -> None:
    (told,) = problems(**given)

    assert told.startswith(f"PLAINT_{named}: ")
    assert not any(value in told for value in given.values())


def test_a_call_out_with_both_is_taken() -> None:
    given = settings.load(_env_file=None, **WECHAT, alarm_url="https://calls.example/x", alarm_secret="a" * 32)

    assert "https://calls.example/x" in given.secrets
