"""wakes: the services that one needs; they must exist, and none may need itself, however indirectly."""

from collections.abc import Collection, Iterator, Mapping

from wakegate.config.draft import Draft, Values
from wakegate.config.kind import Text, Texts
from wakegate.config.show import UnfitError, did_you_mean, show


def _name(text: str) -> str:
    if not text:
        raise UnfitError(f'{show(text)} names no service; write the NAME of [service.NAME], "db"')
    return text


WAKES = Texts(of=Text(says="name of a service", check=_name), says="list of names of services")


def check_wakes(services: Mapping[str, Values], draft: Draft) -> None:
    """Refuse names that no service has, and circles: nothing in one could be the first to wake."""
    needs = {name: _needs(values) for name, values in services.items()}
    for name, values in services.items():
        where = values.where("wakes")
        for need in needs[name]:
            if need == name:
                draft.refuse(where, f'"{name}" cannot wake itself first; take it out')
            elif need not in services:
                otherwise = "; write the NAME of another [service.NAME]"
                draft.refuse(where, f"{show(need)} is no service{did_you_mean(need, services, otherwise=otherwise)}")
        circle = next(_circles(name, needs), None)
        if circle is not None and name == min(circle):  # else each of its services would be told
            way = " → ".join((*circle, name))
            draft.refuse(where, f"{way}: each waits for the next, so none could be the first to wake; take one out")


def unrouted(services: Mapping[str, Values]) -> Collection[str]:
    """Return the services that are only woken by others: they have written neither hosts nor a path."""
    needed = {need for values in services.values() for need in _needs(values)}
    return {name for name in needed if name in services and not services[name].given.keys() & {"hosts", "path"}}


def _needs(values: Values) -> tuple[str, ...]:
    return tuple(values.by_name["wakes"]) if values.are_sound("wakes") else ()


def _circles(name: str, needs: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Give the ways from a service over others back to it; one that wakes itself directly is no circle here."""
    ways: list[tuple[str, ...]] = [(name,)]
    seen = {name}
    while ways:
        way = ways.pop()
        for need in needs.get(way[-1], ()):
            if need == name and len(way) > 1:
                yield way
            elif need not in seen:
                seen.add(need)
                ways.append((*way, need))
