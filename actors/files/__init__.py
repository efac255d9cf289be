"""Files that outlive the process: state, process id, recording, ledger."""
