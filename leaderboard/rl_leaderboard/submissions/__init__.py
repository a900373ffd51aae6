"""What students hand in: commits of their repositories, and what is known of them."""
