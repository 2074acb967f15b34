"""Parts of a page that are written by a program, each between its two marks."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Write a table.

    >>> table(("key", "effect"), [("`a`", "one")])
    '| key | effect |\n|---|---|\n| `a` | one |'
    """
    first, *others = (f"| {' | '.join(line)} |" for line in (head, *rows))
    return "\n".join([first, f"|{'---|' * len(head)}", *others])


def replace_block(page: str, name: str, content: str) -> str:
    r"""Replace what lies between the marks of a name.

    >>> replace_block("<!-- one -->\nold\n<!-- end of one -->", "one", "new")
    '<!-- one -->\nnew\n<!-- end of one -->'
    """
    before, begin, _, end, after = _split(page, name)
    return f"{before}{begin}{content.rstrip()}\n{end}{after}"


def read_block(page: str, name: str) -> str:
    r"""Read what lies between the marks of a name.

    >>> read_block("<!-- one -->\nold\n<!-- end of one -->", "one")
    'old'
    """
    return _split(page, name)[2].rstrip()


def _split(page: str, name: str) -> tuple[str, str, str, str, str]:
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    block, mark, after = rest.partition(end)
    if not mark:
        raise ValueError(f"the page has no place for {name}")
    return before, begin, block, end, after
