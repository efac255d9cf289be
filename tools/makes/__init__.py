"""What docs/makes.md and docs/meters.md say out of the profiles: how each make is read and commanded."""
