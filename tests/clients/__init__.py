"""Contract tests: what people do with `huggingface_hub`, done by three versions of it against a real Hub."""
