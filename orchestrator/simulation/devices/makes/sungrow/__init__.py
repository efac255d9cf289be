"""Virtual devices of Sungrow."""
