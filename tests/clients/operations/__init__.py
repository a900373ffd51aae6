"""What people do with the client: with the standard library and huggingface_hub only, on all three versions."""
