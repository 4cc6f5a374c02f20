#!/usr/bin/env python3
"""Measures how the code reads: `make style-report`.

Only code that is not a test counts: app, crates, frontend and server, without `#[cfg(test)]`
modules. Prints one figure a line beside the wanted value, and exits with 1 if one is missed.
"""

import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["app/src", "crates", "frontend", "server/src"]
# Strings, characters and comments, so that braces inside of them do not count.
TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      |(?P<raw>\b(?:br|cr|r)(?P<marks>\#*)".*?"(?P=marks))
      |(?P<text>"(?:\\.|[^"\\])*")
      |(?P<char>'(?:\\[^']+|[^'\\\n])')""",
    re.DOTALL | re.VERBOSE,
)
FUNCTION = re.compile(r"\bfn\s+\w+")
CLOSURE = re.compile(r"\blet\s+(?:mut\s+)?\w+(?:\s*:[^=;]+)?\s*=\s*(?:async\s+)?(?:move\s+)?\|")
ITEM = re.compile(r"^\s*pub (?:const |async |unsafe )*(?:fn|struct|enum|trait|type|const|static|mod) \w+")
DOC = re.compile(r"^\s*//[/!] ?(.*)$")
HEADLESS = ("What", "Whether", "Who", "Where")


def sources():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.rs")):
            inside = path.relative_to(ROOT).parts
            is_test = {"tests", "examples", "benches"} & set(inside) or path.name == "tests.rs"
            # The comments of the command line are its help.
            if not is_test and "target" not in inside and path.name != "cli.rs":
                yield path, path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]


def blanked(code):
    """The code with every string and comment as spaces, each character at its place."""

    def spaces(found):
        return re.sub(r"[^\n]", " ", found.group(0))

    return TOKEN.sub(spaces, code)


def functions(code, bare):
    """The length of each function's text, each run of white space counted as one character."""
    for found in FUNCTION.finditer(bare):
        start = bare.find("{", found.end())
        end = bare.find(";", found.end())
        if start < 0 or 0 <= end < start:
            continue
        depth = 0
        for at in range(start, len(bare)):
            depth += (bare[at] == "{") - (bare[at] == "}")
            if depth == 0:
                yield len(re.sub(r"\s+", " ", code[found.start() : at + 1]))
                break


def doc_blocks(lines):
    """Runs of doc comment lines."""
    block = []
    for line in [*lines, ""]:
        found = DOC.match(line)
        if found:
            block.append(found.group(1))
        elif block:
            yield block
            block = []


def undocumented(rows):
    """How many public functions, types, traits, constants and modules have no doc comment."""
    count = 0
    for at, row in enumerate(rows):
        if not ITEM.match(row) or row.rstrip().endswith(";") and " mod " in row:
            continue
        before = at - 1
        while before >= 0 and not DOC.match(rows[before]) and rows[before].strip():
            # Attributes, also those of several lines, are between the comment and the item.
            if not re.match(r"\s*(#\[|\)\]|[\w:]+ ?[=(,]|[\"'])", rows[before]):
                break
            before -= 1
        count += before < 0 or not DOC.match(rows[before])
    return count


def measure():
    bare_items = 0
    lengths, lines, long, why, closures, blocks, headless, short = [], 0, 0, 0, 0, 0, 0, 0
    for _, code in sources():
        bare = blanked(code)
        rows = code.splitlines()
        lines += len(rows)
        long += sum(len(row) > 100 for row in rows)
        why += sum(bool(re.match(r"\s*//(?![/!])", row)) for row in rows)
        closures += len(CLOSURE.findall(bare))
        lengths += functions(code, bare)
        bare_items += undocumented(rows)
        for block in doc_blocks(rows):
            blocks += 1
            headless += block[0].split(" ")[0] in HEADLESS
            short += len(block) == 1 and len(block[0].split()) <= 3
    return {
        "characters of a function, median": (statistics.median(lengths), 200),
        "characters of a function, p90": (statistics.quantiles(lengths, n=10)[-1], 900),
        "lines over 100 characters, %": (100 * long / lines, 1),
        "comments within code, % of lines (3 to 5 wanted)": (100 * why / lines, None),
        "named local closures for 1,000 lines": (1000 * closures / lines, 2),
        "doc blocks that begin What, Whether, Who or Where, %": (100 * headless / blocks, 4),
        "doc blocks of at most three words": (short, 0),
        "public items without a doc comment": (bare_items, 0),
        "lines": (lines, None),
        "functions": (len(lengths), None),
    }


def main():
    missed = False
    for name, (value, wanted) in measure().items():
        limit = "" if wanted is None else f"  (at most {wanted})"
        is_missed = wanted is not None and value > wanted
        missed |= is_missed
        print(f"{'!' if is_missed else ' '} {name}: {value:,.1f}{limit}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
