"""`make fleet`: a portfolio on this machine: a cluster of brokers, real sites, and very many light ones."""
