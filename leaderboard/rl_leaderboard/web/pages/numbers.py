"""Numbers as people read them."""


def number(value: int) -> str:
    """A whole number with separators: 12,345."""
    return f"{value:,}"


def score(value: float | None) -> str:
    """A score, a mean or a deviation with two decimals, an enormous one in powers of ten; a dash without one."""
    if value is None:
        return "\N{EN DASH}"
    text = f"{value:.3g}" if abs(value) >= 1e12 else f"{value:,.2f}"
    return text.replace("-", "\N{MINUS SIGN}")
