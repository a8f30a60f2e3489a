"""The ways out of the house: e-mail, documents to print, text messages."""
