"""One folder per messenger. A channel knows the core and `bot.channel`, and no other channel."""
