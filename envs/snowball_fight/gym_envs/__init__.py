"""The game as Gymnasium knows environments: one at a time, or as a vector of them."""
