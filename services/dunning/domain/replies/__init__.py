"""What customers answer: reading it, and proposing what it means. A person always decides."""
