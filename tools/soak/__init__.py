"""`make soak`: storms of faults in virtual time, and a real site for as long as asked, killed again and again."""
