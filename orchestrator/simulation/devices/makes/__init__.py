"""Virtual devices of makes: each written from the documents of its make, independent of its profile."""
