"""Virtual devices of makes that are only read: what they can be told is stored in their flash memory."""
