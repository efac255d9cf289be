"""The API over HTTP, without its sockets: what is asked and answered, how it is described, and what a change means."""
