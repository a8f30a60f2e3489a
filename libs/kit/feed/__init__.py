"""The event feed: written with the business, numbered after the commit, pulled by consumers."""
