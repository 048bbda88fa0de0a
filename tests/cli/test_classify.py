"""`plaint classify`: learning, comparing, proposing, accepting, as whoever runs the desk does it."""

import shutil
from pathlib import Path

import pytest

import policies
from tests.cli.test_commands import asked, town  # noqa: F401 # fixtures

HOME = Path(policies.__file__).parent


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of policies that a test may change."""
    folder = tmp_path / "policies"
    for part in ("companies", "calendars", "wording", "weights"):
        shutil.copytree(HOME / part, folder / part)
    shutil.copy(HOME / "standard.yaml", folder)
    return folder


def texts(path, *rows):
    path.write_text("text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows), "utf-8")
    return str(path)


TAUGHT = [
    *[(f"{n}号箱子卡海关，清不了关", "customs_documents") for n in range(8)],
    *[(f"{n}号灯座开裂，不亮", "product_quality") for n in range(8)],
]


async def test_labelled_texts_teach_and_are_read(asked, tmp_path):  # noqa: F811
    file = texts(tmp_path / "t.tsv", *TAUGHT)
    code, told = await asked("classify", "--train", file, "--eval", file, "--out", str(tmp_path / "w.yaml"))

    assert code == 0
    assert "accuracy 1.000" in told
    assert "卡海关" in (tmp_path / "w.yaml").read_text("utf-8") or "海关" in (tmp_path / "w.yaml").read_text("utf-8")


async def test_a_label_that_is_no_type_of_the_company_is_named(asked, tmp_path):  # noqa: F811
    file = texts(tmp_path / "t.tsv", *TAUGHT, ("灯坏了", "lamps"))
    code, told = await asked("classify", "--company", "trade_003", "--train", file)

    assert code == 2
    assert "has no type lamps" in told


async def test_a_file_without_labels_is_refused_in_words(asked, tmp_path):  # noqa: F811
    (tmp_path / "t.tsv").write_text("words\n灯坏了\n", "utf-8")
    code, told = await asked("classify", "--train", str(tmp_path / "t.tsv"))

    assert code == 2
    assert "no column label, text" in told


async def test_an_accepted_word_is_read_from_then_on(asked, own, monkeypatch):  # noqa: F811
    monkeypatch.setenv("PLAINT_POLICIES_DIR", str(own))
    code, told = await asked("classify", "--company", "trade_003", "--accept", "柜门弹簧=wrong_goods")
    assert code == 0, told
    _, read = await asked("classify", "柜门弹簧", "--company", "trade_003")
    assert '"wrong_goods"' in read.split('"score"')[0]

    code, told = await asked("classify", "--company", "trade_003", "--accept", "柜门弹簧")
    assert code == 2
    assert "no WORD=TYPE" in told


async def test_corrections_propose_words_and_two_lexicons_are_compared(town, asked, own, monkeypatch):  # noqa: F811
    zhou = await town.agent("周敏", "reception", "logistics")
    for name in ("王岚", "李娜", "陈曦"):
        customer = await town.customer(name)
        await customer.say("货在港口的查验区压着，你们到底管不管，服务差")
        await customer.press("同意")
        await town.settle()
    for number in range(3):
        case = town.case(number)
        code, told = await asked(
            "act", case.number, "retype", "--by", str(zhou.member.id), "--type", "customs_documents"
        )
        assert code == 0, told

    code, told = await asked("classify", "--propose")
    assert code == 0
    assert "Nothing changes by itself" in told

    monkeypatch.setenv("PLAINT_POLICIES_DIR", str(own))
    await asked("classify", "--company", "trade_003", "--accept", "查验区=customs_documents")
    kept = town.house.store.lexicons("trade_003")[0][0] if hasattr(town, "house") else "now"
    code, told = await asked("classify", "--company", "trade_003", "--compare", kept, "now")
    assert code == 0, told
    assert "3 cases" in told
