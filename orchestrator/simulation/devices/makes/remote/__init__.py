"""Virtual devices of makes whose battery is commanded by a remote control beside its own modes."""
