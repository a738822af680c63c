"""Shell commands on alerts, built from the table of actions: they do what the keys do."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import click

from watchdeck.actions.action import Action, Form, Shell, ShellArgument
from watchdeck.actions.actor import Actor
from watchdeck.actions.requests import ActionRequest
from watchdeck.actions.table import ACTIONS, perform
from watchdeck.cli.alerts.selection import AlertSelector, print_result, select_episodes
from watchdeck.cli.options import Context, DurationParam, now, operator
from watchdeck.domain.alerts.alert import Feedback
from watchdeck.domain.values.matcher import Matcher

_TYPES: Mapping[Form, Callable[[], click.ParamType[Any]]] = {
    Form.ALERTS: AlertSelector,
    Form.ALERT: AlertSelector,
    Form.MATCHERS: AlertSelector,
    Form.NUMBER: partial(click.IntRange, min=1),
    Form.LENGTH: DurationParam,
    Form.TEXT: lambda: click.STRING,
    Form.FLAG: lambda: click.BOOL,
    Form.FEEDBACK: lambda: click.Choice([one.value for one in Feedback]),
}
_EXAMPLES = {Form.LENGTH: "1d", Form.NUMBER: "12"}
_LISTS = (Form.ALERTS, Form.MATCHERS)

Values = Mapping[str, Any]
"""The parsed arguments, by request field, or by the option that selects another action."""


def build_command(name: str) -> click.Command:
    """Build a shell command, which runs its own action, or the action whose option is given."""
    found = [(action, shell) for action, shell in _shells() if shell.command == name]
    main, *others = sorted(found, key=lambda pair: pair[1].option is not None)
    options = [shell.option for _, shell in others if shell.option]
    is_replaced = any(option.form is Form.NUMBER for option in options)
    parameters = [_parameter(one, is_optional=is_replaced) for one in main[1].arguments]
    parameters += (_parameter(one, is_optional=True) for one in options)

    def callback(**values: Any) -> None:
        for action, shell in _select_actions(main, others, values):
            _perform(action, shell, values)

    return click.Command(name, params=parameters, callback=callback, help=main[1].help)


def _shells() -> Iterator[tuple[Action, Shell]]:
    yield from ((action, action.shell) for action in ACTIONS if action.shell is not None)


def _parameter(argument: ShellArgument, *, is_optional: bool) -> click.Parameter:
    """Build a click argument or option; `is_optional` if an action of the command needs none."""
    kind, is_required = _TYPES[argument.form](), argument.is_required and not is_optional
    if argument.name.startswith("-"):
        names, is_flag = [argument.name, _key(argument)], argument.form is Form.FLAG
        return click.Option(
            names, help=argument.help, required=is_required, is_flag=is_flag, type=kind
        )
    if argument.form in _LISTS:
        return click.Argument(
            [argument.field], metavar=f"{argument.name}...", nargs=-1, required=True, type=kind
        )
    if is_required:
        return click.Argument([argument.field], metavar=argument.name, type=kind)
    return click.Argument([argument.field], metavar=f"[{argument.name}]", default="", type=kind)


def _key(argument: ShellArgument) -> str:
    return argument.field or argument.name.strip("-").replace("-", "_")


def _select_actions(
    main: tuple[Action, Shell], others: list[tuple[Action, Shell]], values: Values
) -> Iterator[tuple[Action, Shell]]:
    """The actions to run: the command's own, unless an option selects another."""
    asked = [pair for pair in others if pair[1].option and values[_key(pair[1].option)]]
    if not asked or any(shell.beside and values.get("text") for _, shell in asked):
        yield main
    yield from asked


def _perform(action: Action, shell: Shell, values: Values) -> None:
    context: Context = click.get_current_context().obj
    directory, moment = context.directory(), now()
    actor = Actor(directory, operator(), context.routing())
    print_result(perform(actor, _request(action, shell, values), moment))


def _request(action: Action, shell: Shell, values: Values) -> ActionRequest:
    """Build the request of an action. Raises click.UsageError when a required value is missing."""
    fields = {}
    for name in action.request.__struct_fields__:
        if values.get(name) is not None:
            fields[name] = _READERS.get(name, _read)(values[name])
    missing = [one for one in shell.arguments if one.is_required and one.field not in fields]
    if missing:
        name, example = missing[0].name, _EXAMPLES.get(missing[0].form, "TEXT")
        raise click.UsageError(f"{name} is missing; write {name} {example}")
    return action.request(**fields)


def _read(value: Any) -> Any:
    return value


def _read_episodes(which: Any) -> tuple[int, ...]:
    context: Context = click.get_current_context().obj
    return select_episodes(context.directory(), which if isinstance(which, tuple) else (which,))


def _read_matchers(which: tuple[int | Matcher, ...]) -> tuple[Matcher, ...]:
    matchers = tuple(one for one in which if isinstance(one, Matcher))
    if len(matchers) != len(which):
        raise click.UsageError("a silence is about labels: write model=NAME or rule=NAME")
    return matchers


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "episodes": _read_episodes,
    "matchers": _read_matchers,
    "opinion": Feedback,
}
