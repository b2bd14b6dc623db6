"""What `scripts/bench` is made of: a module for each part of its table, and what they share."""
