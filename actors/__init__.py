"""The shell: threads and sockets around the pure `orchestrator` package, with hardly a branch of its own."""
