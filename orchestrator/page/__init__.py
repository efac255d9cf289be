"""The page that a browser shows: files that are served as they are. It asks `/api/v1/` for all it shows.

There is no build step, and nothing is fetched from elsewhere. `texts/` has every word of it, one file per language.
"""
