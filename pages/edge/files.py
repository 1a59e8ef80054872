"""How a file is given to the browser."""

from urllib.parse import quote


def disposition(name: str, plain: str = "", way: str = "attachment") -> dict[str, str]:
    """The header that names a file, shown (`inline`) or saved; `plain` is for who cannot read its name.

    RFC 6266, with the name as RFC 5987 writes what is not ASCII.
    """
    simple = f'; filename="{plain}"' if plain else ""
    return {"Content-Disposition": f"{way}{simple}; filename*=UTF-8''{quote(name, safe='')}"}
