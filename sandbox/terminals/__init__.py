"""The sandbox's cash machine and till: terminals of an acquirer of their own, mounted around each bank (D10)."""
