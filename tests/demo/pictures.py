"""Takes the picture of the README from a demo that runs: `python -m tests.demo.pictures`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.demo.stage import ROOT, Handset, Typing, browsing, running

PICTURE = ROOT / "docs" / "pictures" / "phones.png"
_LARGEST = 400_000


async def take() -> None:
    """Let a customer on WeChat complain and an agent on WeCom propose, and take the picture of three phones."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as demo, browsing(width=1400, height=820) as browser:
            li_id, zhou_id, chen_id = (demo.people[name] for name in ("李娜", "周敏", "陈主管"))
            page = await browser.tab(f"{demo.phones}/#{li_id},{zhou_id},{chen_id}")
            li, zhou, chen = Typing(page, li_id), Handset(page, zhou_id), Handset(page, chen_id)
            await li.hears("请用自己的话说说发生了什么")
            await chen.show("客诉处理群")
            await li.say("你好，订单 YX20250119-2 的灯到货就碎了两盏，我要补发")
            await li.hears("投诉编号是")
            await li.choose("同意")
            await li.hears("怎么称呼您")
            await li.say("李娜")
            await li.hears("怎么联系您")
            await li.say("微信就行")
            while "请核对投诉" not in (said := await li.hears("")).text:
                await li.say("马德里" if "哪个城市" in said.text else "跳过")
            await li.choose("没问题，提交")
            await li.hears("已受理")
            await zhou.hears("新投诉")
            await zhou.press("我来处理")
            await chen.hears("由周敏负责")
            await zhou.hears("正在调查")
            await zhou.press("提出方案")
            await zhou.hears("请写下给客户的方案")
            await zhou.say("两盏灯今天空运补发，运费我们出")
            await li.hears("空运补发")
            await page.wait_for_timeout(1500)
            PICTURE.parent.mkdir(parents=True, exist_ok=True)
            await page.locator("#phones").screenshot(path=str(PICTURE))
    size = PICTURE.stat().st_size
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}: {size // 1000} KB\n")
    if size > _LARGEST:
        raise SystemExit(f"That is more than {_LARGEST // 1000} KB.")


if __name__ == "__main__":
    asyncio.run(take())
