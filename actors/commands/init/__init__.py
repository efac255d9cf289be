"""`orchestrator init`: a new site.yaml, by questions and answers."""
