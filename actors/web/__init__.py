"""The one HTTP server: metrics, health, the page, and the API. It never holds up the plant.

A thread of its own serves all requests (`server`), in bounds that are kept before a request is read (`bounds`). What a
request may do is decided by its head (`gate`). What is shown comes from the newest cycle (`state`). What is changed
goes to the site as a message, with an event that says who it was (`changing`, `by_hand`).
"""
