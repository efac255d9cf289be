"""CSIP-AUS over TLS: the certificates of a site, the connection to a utility server, and the thread that speaks it"""
