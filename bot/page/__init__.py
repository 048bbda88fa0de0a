"""The page behind a signed link: a customer sees their complaints, and goes on with the very same dialogue.

Read `pages` for what it serves, `link` for who may see it, `uploads` for what becomes of files. `document.html`,
`cases.html`, `style.css` and `script.js` are the page itself.
"""

from bot.page.pages import Pages
from bot.page.uploads import Uploads

__all__ = ["Pages", "Uploads"]
