"""The part of docs/makes.md that is made from the profiles: what each make is read and commanded by."""
