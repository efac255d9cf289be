"""Virtual devices of GoodWe."""
