"""A link that several devices share: whose turn it is, and how much of its time those get that do not answer."""
