"""Files: the limits are told before, every file is hashed and sealed, and a voice is a complaint like any other."""

import hashlib

from sandbox import Attachment

PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40 + "机密的照片".encode()


async def _asked_for_files(person):
    await person.all("灯坏了，用两天就坏，质量太差", "!同意", "王岚", "13812345678", "马德里", "PO-88213", "跳过")
    return await person.say("退款")


async def test_a_photo_is_hashed_and_lies_sealed_on_disk(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    asked = await _asked_for_files(wang)
    assert "最多 10 个文件，每个不超过 20 MB" in asked, "limits are told before"
    heard = await wang.send(Attachment(kind="photo", data=PICTURE))
    assert "已放进" in heard
    assert "就这些" in heard.labels
    [file] = town.files()
    assert (file.state, file.kind, file.size) == ("kept", "photo", len(PICTURE))
    assert file.sha256 == hashlib.sha256(PICTURE).hexdigest()
    path = town.folder / "evidence" / file.path
    raw = path.read_bytes()
    assert PICTURE[:200] not in raw
    assert "机密的照片".encode() not in raw
    assert b"".join(town.store.open_file(file.id, path)) == PICTURE
    assert "1 个文件" in await wang.press("就这些")
    await wang.press("没问题，提交")
    assert [event.facts["sha256"] for event in town.events("evidence_kept")] == [file.sha256]
    number = town.case().number
    await zhou.all(number, f"!{number}")
    await zhou.press("看文件")
    photos = [each for each in (await zhou.phone.transcript()).messages if each.from_bot and each.raw["media"]]
    assert len(photos) == 1
    assert number in (photos[0].text or str(photos[0].raw))


async def test_an_album_is_one_answer(town):
    wang = await town.customer()
    await _asked_for_files(wang)
    heard = await wang.send(*[Attachment(kind="photo", size=2000 + n) for n in range(4)])
    assert heard.many == 1, heard
    assert len(town.files()) == 4
    assert all(file.state == "kept" for file in town.files())
    assert "4 个文件" in await wang.say("就这些")


async def test_a_caption_is_part_of_the_complaint(town):
    wang = await town.customer()
    await wang.send(Attachment(kind="photo", data=PICTURE), caption="灯坏了，用两天就坏，质量太差")
    case = town.case()
    assert case.words.said[0].text == "灯坏了，用两天就坏，质量太差"
    assert case.type == "product_quality"
    assert len(town.files()) == 1


async def test_a_document_keeps_its_name_and_kind(town):
    wang = await town.customer()
    await _asked_for_files(wang)
    await wang.send(Attachment(kind="document", data=b"%PDF-1.7 demo", name="invoice.pdf", mime="application/pdf"))
    [file] = town.files()
    assert (file.kind, file.words["name"]) == ("document", "invoice.pdf")
    assert file.sha256 == hashlib.sha256(b"%PDF-1.7 demo").hexdigest()


async def test_a_file_that_is_too_big_is_refused_with_the_limit_and_the_form_goes_on(town):
    wang = await town.customer()
    await _asked_for_files(wang)
    heard = await wang.send(Attachment(kind="document", size=21 * 1024 * 1024, name="film.mp4"))
    assert "太大" in heard
    assert "20 MB" in heard
    assert "照片" in heard, "and is asked again"
    assert town.files() == []


async def test_more_files_than_allowed_are_refused_in_words(town):
    wang = await town.customer()
    await _asked_for_files(wang)
    await wang.send(*[Attachment(kind="photo", size=1000)] * 10)
    heard = await wang.send(Attachment(kind="photo", size=1000))
    assert "最多 10 个文件" in heard
    assert "没有保存" in heard
    assert len(town.files()) == 10


async def test_a_voice_alone_is_a_complaint_that_somebody_listens_to(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    heard = await wang.send(Attachment(kind="voice", size=12_000))
    case = town.case()
    assert case.number in heard
    assert case.facts.listen
    assert "语音" in await town.room.heard()
    assert case.facts.clocks["first_response"].running
    await wang.press("同意")
    await zhou.all(case.number, f"!{case.number}")
    await zhou.press("记录语音内容")
    await zhou.say("客户说：快递半个月没更新，物流一直不动了，订单PO-88213")
    case = town.case()
    assert case.type == "logistics_delay"
    assert case.words.answers["order_no"] == "PO-88213"
    assert not case.facts.listen
    assert town.events("said")[-1].facts == {"transcribed": True}


async def test_a_danger_in_a_transcribed_voice_calls_people(town):
    zhou = await town.agent("周敏", "reception")
    boss = await town.agent("李总", "leading_group")
    wang = await town.customer()
    await wang.send(Attachment(kind="voice", size=12_000))
    number = town.case().number
    await zhou.all(number, f"!{number}", "!记录语音内容", "充电器起火，人烫伤了")
    assert "人身安全" in await boss.heard()
    assert town.case().urgent


async def test_a_photo_for_a_filed_case_is_added_to_it_and_the_owner_hears(town):
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file()
    await zhou.press("我来处理")
    await zhou.heard()
    heard = await wang.send(Attachment(kind="photo", data=PICTURE))
    assert town.case().number in heard
    assert len(town.files()) == 1
    assert "新消息" in await zhou.heard()


async def test_a_photo_answers_an_agents_question(town):
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file()
    await zhou.all("!我来处理", "!问客户", "能拍张照吗？")
    await wang.heard()
    heard = await wang.send(Attachment(kind="photo", data=PICTURE))
    assert "转给同事" in heard
    assert not town.case().facts.asked
    assert town.case().facts.clocks["propose"].paused_at is None


async def test_a_photo_with_two_open_cases_is_asked_about_and_kept(town):
    wang = await town.customer()
    await wang.file()
    await wang.say("/new")
    await wang.file("客服态度恶劣，还骂人")
    heard = await wang.send(Attachment(kind="photo", data=PICTURE))
    assert "哪一件" in heard, "a photo is never lost, and never a third case by itself"
    assert len(town.cases()) == 2
    await wang.press(heard.labels[0])
    assert len(town.files(town.cases()[0])) == 1


async def test_a_file_that_cannot_be_brought_home_is_told_to_the_customer_and_the_owner(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await _asked_for_files(wang)
    await town.sandbox.client.inject(
        {
            "message": {
                "message_id": 9000,
                "date": int(town.clock().timestamp()),
                "chat": {"id": wang.phone.id, "type": "private", "first_name": "王岚"},
                "from": {"id": wang.phone.id, "is_bot": False, "first_name": "王岚"},
                "photo": [{"file_id": "no-such-file", "file_unique_id": "x", "width": 9, "height": 9, "file_size": 10}],
            }
        }
    )
    await town.settle()
    heard = await wang.heard()
    assert "没能保存下来" in heard
    assert [file.state for file in town.files()] == ["lost"]
    assert "没能保存" in await zhou.heard()


async def test_after_a_refused_consent_not_even_the_photo_can_be_opened(town):
    import pytest

    from storage import Unreadable

    wang = await town.customer()
    await wang.send(Attachment(kind="photo", data=PICTURE), caption="灯坏了，质量太差")
    [file] = town.files()
    path = town.folder / "evidence" / file.path
    await wang.press("不同意")
    with pytest.raises(Unreadable):
        list(town.store.open_file(file.id, path))
