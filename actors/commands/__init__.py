"""The commands of the command line that need threads or sockets: one module each, the larger ones with a folder."""
