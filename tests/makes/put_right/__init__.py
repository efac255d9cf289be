"""What was found wrong of makes and is put right: each against a counterpart that behaves as the sources say."""
