"""Making and changing the tables: `migrate` brings any database to the newest schema."""

from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from storage.engines import open_engines, transaction

#: Nodes that start together migrate one after the other.
_POSTGRES_LOCK: Final = 7_520_114


def migrate(url: str) -> None:
    """Bring the database to the newest schema, from empty too. Raises `Misconfigured` and `Unavailable`."""
    # A fifth of a second that most commands can do without.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    write, read = open_engines(url)
    try:
        with transaction(write) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_POSTGRES_LOCK)))
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        write.dispose()
        read.dispose()
