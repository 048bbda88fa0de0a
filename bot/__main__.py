"""Run the command line: `python -m bot serve` is `plaint serve`."""

from bot.cli import main

main()
