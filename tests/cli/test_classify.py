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
    for part in ("companies", "wording", "weights"):
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
    assert "  # customs_documents\n" in (tmp_path / "w.yaml").read_text("utf-8")


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
    assert '"word": "柜门弹簧"' in read.partition('"wrong_goods"')[2]

    code, told = await asked("classify", "--company", "trade_003", "--accept", "柜门弹簧")
    assert code == 2
    assert "no WORD=TYPE" in told


async def test_corrections_propose_words_and_two_lexicons_are_compared(town, asked, own, monkeypatch):  # noqa: F811
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    number, by = town.case().number, str(zhou.member.id)
    assert (await asked("act", number, "claim", "--by", by))[0] == 0
    code, told = await asked("act", number, "retype", "--by", by, "--type", "customs_documents")
    assert code == 0, told

    code, told = await asked("classify", "--propose")
    assert code == 0
    assert "Nothing changes by itself" in told

    monkeypatch.setenv("PLAINT_POLICIES_DIR", str(own))
    await asked("classify", "--company", "trade_003", "--accept", "查验区=customs_documents")
    _, told = await asked("classify", "--company", "trade_003", "--compare", "none-such", "now")
    kept = told.partition("Kept are: ")[2].partition(".")[0].split(", ")[0]
    code, told = await asked("classify", "--company", "trade_003", "--compare", kept, "now")
    assert code == 0, told
    assert "1 cases, " in told
