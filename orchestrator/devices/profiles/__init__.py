"""The driver that follows the file of a make."""
