"""The layout of a reference: sections of entries as plain text, wrapped to a width."""

from collections.abc import Iterable, Iterator
from textwrap import wrap

from msgspec import Struct
from msgspec.structs import replace

_INDENT = 2
_LONGEST_ASIDE = 22
"""The most characters of a term whose text stands beside it; text of longer terms stands below."""


class Entry(Struct, frozen=True):
    """A term and its explanation, one paragraph each.

    `name` is the word by which a person asks for the entry; empty when nobody does.
    """

    term: str
    paragraphs: tuple[str, ...]
    name: str = ""


class Section(Struct, frozen=True):
    """A titled part of a reference.

    `names` are the words by which a person asks for the section; lines of `sample` are never
    wrapped.
    """

    names: tuple[str, ...]
    title: str
    paragraphs: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    sample: str = ""


class Reference(Struct, frozen=True):
    """All of a topic: a title, an introduction, and sections."""

    title: str
    paragraphs: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The first name of every section."""
        return tuple(section.names[0] for section in self.sections)

    @property
    def entry_names(self) -> tuple[str, ...]:
        """The names of all entries."""
        return tuple(one.name for section in self.sections for one in section.entries if one.name)


def select(sections: Iterable[Section], wanted: str) -> tuple[Section, ...]:
    """The sections that a name asks for: whole ones, or only entries with the name.

    `endpoint` asks for a section and its inner ones (`endpoint.tls`), `endpoint.every` for an entry
    of it, `every` for that entry of every section. Capitals make no difference. Empty when nothing
    has the name.
    """
    known, lower = tuple(sections), wanted.lower()
    found = tuple(
        section
        for section in known
        if any(f"{name}.".startswith(f"{lower}.") for name in section.names)
    )
    return found or tuple(_with_entry(known, lower))


def _with_entry(sections: Iterable[Section], wanted: str) -> Iterator[Section]:
    for section in sections:
        named = [wanted, *(wanted.removeprefix(f"{name}.") for name in section.names)]
        entries = tuple(entry for entry in section.entries if _is_named(entry, named))
        if entries:
            yield replace(section, paragraphs=(), sample="", entries=entries)


def _is_named(entry: Entry, names: Iterable[str]) -> bool:
    """Whether an entry has one of these names, or its path ends with one, as in `took_s`."""
    return any(f".{entry.name.lower()}".endswith(f".{name}") for name in names)


def render(reference: Reference, width: int) -> str:
    """A whole topic as text, with the list of its sections in front."""
    names = ", ".join(reference.names)
    lines = [*_heading(reference.title, "=", width), ""]
    lines += _paragraphs((*reference.paragraphs, f"Sections: {names}."), width)
    return "\n".join([*lines, "", render_sections(reference.sections, width)])


def render_sections(sections: Iterable[Section], width: int) -> str:
    """Sections as text, an empty line between two."""
    return "\n\n".join("\n".join(_section_lines(section, width)) for section in sections)


def _section_lines(section: Section, width: int) -> Iterator[str]:
    yield from _heading(section.title, "-", width)
    yield from _paragraphs(section.paragraphs, width)
    if section.sample:
        yield ""
        yield from (f"{' ' * _INDENT}{line}".rstrip() for line in section.sample.splitlines())
    if section.entries and (section.paragraphs or section.sample):
        yield ""
    yield from _entry_lines(section.entries, width)


def _heading(title: str, sign: str, width: int) -> list[str]:
    lines = _wrap(title, width, 0)
    return [*lines, sign * max(map(len, lines))]


def _paragraphs(paragraphs: Iterable[str], width: int) -> Iterator[str]:
    for number, paragraph in enumerate(paragraphs):
        yield from ("",) if number else ()
        yield from _wrap(paragraph, width, 0)


def _entry_lines(entries: tuple[Entry, ...], width: int) -> Iterator[str]:
    """The lines of entries: two columns when all terms are short, else the text below its term."""
    longest = max((len(entry.term) for entry in entries), default=0)
    is_aside = longest <= _LONGEST_ASIDE and all(len(one.paragraphs) == 1 for one in entries)
    for number, entry in enumerate(entries):
        if is_aside:
            yield from _aside(entry, longest, width)
        else:
            yield from ("",) if number else ()
            yield from _below(entry, width)


def _aside(entry: Entry, longest: int, width: int) -> Iterator[str]:
    indent = _INDENT + longest + _INDENT
    first, *others = _wrap(entry.paragraphs[0], width, indent)
    yield f"{' ' * _INDENT}{entry.term:<{longest}}{' ' * _INDENT}{first.lstrip()}"
    yield from others


def _below(entry: Entry, width: int) -> Iterator[str]:
    yield from _wrap(entry.term, width, _INDENT)
    for paragraph in entry.paragraphs:
        yield from _wrap(paragraph, width, 3 * _INDENT)


def _wrap(text: str, width: int, indent: int) -> list[str]:
    blanks = " " * indent
    return wrap(
        text,
        width,
        initial_indent=blanks,
        subsequent_indent=blanks,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
