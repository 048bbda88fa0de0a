"""Takes the picture of the README from a demo that runs: `python -m tests.demo.pictures`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.demo.stage import ROOT, Handset, browsing, running

PICTURE = ROOT / "docs" / "pictures" / "phones.png"
_LARGEST = 400_000


async def take() -> None:
    """Let the customer complain and the agent propose, and take the picture of the three phones."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as demo, browsing(width=1400, height=820) as browser:
            wang_id, li_id, chen_id = (demo.people[name] for name in ("王岚", "小李", "陈主管"))
            page = await browser.tab(f"{demo.phones}/#{wang_id},{li_id},{chen_id}")
            wang, li, chen = (Handset(page, person) for person in (wang_id, li_id, chen_id))
            await wang.hears("投诉编号是")
            await wang.press("同意")
            await wang.hears("怎么称呼您")
            await wang.say("王岚")
            await wang.hears("怎么联系您")
            await wang.say("微信就行")
            if "哪个城市" in (await wang.hears("？")).text:
                await wang.say("马德里")
                await wang.hears("型号")
            await wang.press("跳过")
            await wang.hears("希望我们怎么解决")
            await wang.press("补发或重发")
            await wang.hears("有照片、视频或单据吗")
            await wang.press("跳过")
            await wang.hears("请核对投诉")
            await wang.press("没问题，提交")
            await chen.show("客诉处理群")
            await chen.hears("新投诉")
            await li.hears("新投诉")
            await li.press("我来处理")
            await wang.hears("已经有人在调查")
            await chen.hears("由小李负责")
            await li.press("提出方案")
            await li.hears("请写下给客户的方案")
            await li.say("今天空运补发，运费我们出")
            await wang.hears("空运补发")
            await page.wait_for_timeout(1500)
            PICTURE.parent.mkdir(parents=True, exist_ok=True)
            await page.locator("#phones").screenshot(path=str(PICTURE))
    size = PICTURE.stat().st_size
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}: {size // 1000} KB\n")
    if size > _LARGEST:
        raise SystemExit(f"That is more than {_LARGEST // 1000} KB.")


if __name__ == "__main__":
    asyncio.run(take())
