"""Credit insurance as pure rules: what a decision does to a cover, what a cover is worth on a day, which clocks run."""
