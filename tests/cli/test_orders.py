"""A file of orders as it comes out of an office: every mistake in it has a line, a column and a cure."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.orders import OrderFile
from complaints.errors import Misconfigured

PLAIN = 'order_no,organisation,amount,vip,contacts,仓库\nPO-1,恒泰,"32,000.50",是,刘总；0571-1,莱比锡\n'  # fmt: skip


def written(tmp_path, content):
    path = tmp_path / "orders.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_every_usual_encoding_and_separator_is_read(tmp_path, encoding, mark):
    text = (
        PLAIN
        if mark == ","
        else f'order_no{mark}organisation{mark}amount{mark}vip\nPO-1{mark}恒泰{mark}"32,000.50"{mark}是\n'
    )
    order = OrderFile(written(tmp_path, text.encode(encoding))).find("po 1")
    assert (order.organisation, order.amount, order.vip) == ("恒泰", Decimal("32000.50"), True)


def test_other_columns_and_several_contacts_are_kept(tmp_path):
    order = OrderFile(written(tmp_path, PLAIN)).find("ＰＯ－１")
    assert order.contacts == ("刘总", "0571-1")
    assert order.more == {"仓库": "莱比锡"}
    assert OrderFile(written(tmp_path, PLAIN)).find("PO-2") is None
    assert OrderFile(written(tmp_path, PLAIN)).find("---") is None


def test_the_companys_own_names_of_columns_are_understood(tmp_path):
    path = written(tmp_path, "合同号,合同额\nHT-9,5\n")
    assert OrderFile(path, {"order_no": "合同号", "amount": "合同额"}).find("ht9").amount == Decimal(5)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: no column order_no"),
        ("number,amount\n1,2\n", "line 1: no column order_no; there is number, amount"),
        ("order_no,order_no\n1,2\n", "line 1: two columns have the same name"),
        ("order_no,amount\nPO-1,5\n,6\n", "line 3, column order_no: empty"),
        ("order_no,amount\nPO-1,5\n\npo1,6\n", "line 4, column order_no: this number stands"),
        ("order_no,amount\nPO-1,-5\n", "line 2, column amount"),
        ("order_no,amount\nPO-1,NaN\n", "line 2, column amount"),
        ("order_no,vip\nPO-1,maybe\n", "line 2, column vip"),
        ("order_no,vip\nPO-1,yes,more\n", "line 2, has more fields"),
        ('order_no,vip\n"PO-1,yes\n', "Save it as CSV UTF-8"),
        (b"order_no\n\xff\xff\xff\n", "neither UTF-8 nor GBK"),
    ],
)
def test_every_mistake_is_named_with_its_place_and_cure(tmp_path, text, problem):
    with pytest.raises(Misconfigured) as refused:
        OrderFile(written(tmp_path, text))
    assert any(problem in each for each in refused.value.problems)
    assert all(each.startswith("ORDERS: ") for each in refused.value.problems)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(Misconfigured, match="No such file"):
        OrderFile(tmp_path / "nothing.csv")


def test_many_mistakes_are_counted(tmp_path):
    with pytest.raises(Misconfigured) as refused:
        OrderFile(written(tmp_path, "order_no,amount\n" + "".join(f"{n},x\n" for n in range(70))))
    assert len(refused.value.problems) == 51
    assert "20 more" in refused.value.problems[-1]


def test_a_file_that_vanishes_still_counts_as_it_was(tmp_path):
    path = written(tmp_path, PLAIN)
    orders = OrderFile(path)
    path.unlink()
    assert orders.find("PO-1") is not None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"order_no,amount\n{text}".encode()))
def test_no_file_whatsoever_ends_in_anything_but_a_sentence(tmp_path, content):
    with contextlib.suppress(Misconfigured):
        OrderFile(written(tmp_path, content)).find("PO-1")
