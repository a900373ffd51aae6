"""Charts drawn on the server, as SVG that stands in the page."""
