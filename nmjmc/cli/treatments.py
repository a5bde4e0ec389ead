"""Diseases and drugs as words: `pathology=NAME:SEVERITY+NAME:SEVERITY`, `drug=NAME:DOSE`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nmjmc.cli.config_file import path_of
from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.modifier import Change, named
from nmjmc.junction.recipe import read_own
from nmjmc.pathology import DISEASES, read_disease
from nmjmc.pharmacology import DRUGS, WITH_EXPOSURE, drug, read_drug
from nmjmc.pharmacology.constants import HALF
from nmjmc.synapse.modifier import compose
from nmjmc.yaml_file import read_yaml

KINDS: dict[str, Mapping[str, Any]] = {"pathology": DISEASES, "drug": DRUGS}
READERS: dict[str, Callable[[Mapping[str, Any], str], Any]] = {"pathology": read_disease, "drug": read_drug}
AMOUNTS = {"pathology": "severity", "drug": "dose"}
_FILE = re.compile(r"[^\s,+:=\[\]{}'\"]+\.ya?ml\b")
NOTHING = ("", "none", "null", "healthy")
_EXAMPLES = {"pathology": "pathology=myasthenia_gravis:0.6", "drug": 'drug=pyridostigmine:"1 uM"'}


def with_files(words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Words in which a user's own files stand as the names of what they define, and these definitions by name.

    `pathology=mine.yaml:0.5` becomes `pathology=mine:0.5`; what a `config=FILE` defines is known too.

    Raises:
        ValidationError: For a file that cannot be right, or a name that is taken.
    """
    found: dict[str, Any] = {}
    for word in words:
        if word.startswith("config="):
            held = read_yaml(path_of(word), "config")
            given = held.get("definitions") if isinstance(held, Mapping) else None
            found |= dict(given) if isinstance(given, Mapping) else {}

    def replaced(word: str) -> str:
        kind = {"pathology": "pathology", "drug": "drug", "agent": "drug"}.get(_key(word))
        return word if kind is None else _FILE.sub(lambda match: _defined(match.group(), kind, found), word)

    return [replaced(word) for word in words], found


def _defined(path: str, kind: str, found: dict[str, Any]) -> str:
    """The name of what a file defines, which is put among the definitions."""
    name, given = read_own(path, kind)
    if name in KINDS[kind] or found.get(name, given) != given:
        raise ValidationError(
            f"{kind}.name", f"{name!r}, which is taken", "a name of its own", "write name: my_own there"
        )
    READERS[kind](given, name)
    found[name] = dict(given)
    return name


def _recipe(name: str, definitions: Mapping[str, Any], kind: str) -> Any:
    """A definition as a disease or a drug; None where there is none of that name and kind."""
    given = definitions.get(name)
    if given is None or (isinstance(given, Mapping) and given.get("kind") not in (kind, None)):
        return None
    return READERS[kind](given, name)


def definitions_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A user's own diseases and drugs in a config.

    Raises:
        ValidationError: If they are no mapping, or have the name of another.
    """
    found = config.get("definitions") or {}
    if not isinstance(found, Mapping):
        raise ValidationError(
            "definitions", repr(found), "a mapping of names", "pathology=FILE.yaml:0.5 makes one"
        )
    for name in found:
        kind = found[name].get("kind") if isinstance(found[name], Mapping) else None
        if kind not in KINDS:
            raise ValidationError(f"definitions.{name}.kind", repr(kind), "pathology or drug")
        if name in KINDS[kind]:
            raise ValidationError(f"definitions.{name}", "taken", "a name of its own")
        _recipe(str(name), found, kind)
    return found


def expand(words: Sequence[str], own: Mapping[str, Any] | None = None) -> list[str]:
    """Words as users write them, with diseases and drugs as mappings that hydra reads.

    `pathology=a:0.6+b` becomes `++pathology={a:'0.6',b:'1'}`; a word may be given several times, and
    `pathology.severity=0.3` or `drug.dose="1 uM"` names the amount of the only one. With `-m` a comma separates the
    points of a sweep.

    Raises:
        ValidationError: For a name that is unknown or given twice, or a drug without a dose.
    """
    sweeping = any(word in ("-m", "--multirun") for word in words)
    rest = [word for word in words if not _ours(word)]
    # ahead of the others: argparse takes no word behind a flag
    return [*(word for kind in KINDS for word in _expanded(kind, words, sweeping, own or {})), *rest]


def _ours(word: str) -> bool:
    key, _, value = word.lstrip("+").partition("=")
    return (key in KINDS and not value.strip().startswith("{")) or key in [
        f"{kind}.{amount}" for kind, amount in AMOUNTS.items()
    ]


def _expanded(kind: str, words: Sequence[str], sweeping: bool, own: Mapping[str, Any]) -> list[str]:
    given = [word.lstrip("+").partition("=")[2] for word in words if _ours(word) and _key(word) == kind]
    given = [value for value in given if value.strip().casefold() not in NOTHING]
    amounts = [word.partition("=")[2] for word in words if _key(word) == f"{kind}.{AMOUNTS[kind]}"]
    if len(amounts) > 1:
        raise ValidationError(f"{kind}.{AMOUNTS[kind]}", "given twice", "given once")
    if not given:
        if amounts:
            raise ValidationError(
                f"{kind}.{AMOUNTS[kind]}", amounts[0], f"given with a {kind}", _EXAMPLES[kind]
            )
        return []
    if sweeping and len(given) == 1:
        made = [_mapping(kind, [piece], amounts, own) for piece in given[0].split(",")]
        return [f"++{kind}={','.join(made)}"]
    for value in given:
        if "," in value:
            hint = f"did you mean {kind}={value.replace(' ', '').replace(',', '+')}?"
            raise ValidationError(kind, repr(value), "several names joined by +", hint)
    return [f"++{kind}={_mapping(kind, given, amounts, own)}"]


def _key(word: str) -> str:
    return word.lstrip("+").partition("=")[0]


def _mapping(kind: str, values: Sequence[str], amounts: Sequence[str], own: Mapping[str, Any]) -> str:
    """One or several `a:x+b:y` as a mapping in hydra's grammar."""
    found: dict[str, str] = {}
    for part in "+".join(values).split("+"):
        name, _, amount = (text.strip().strip("\"'") for text in part.partition(":"))
        check_name(kind, name, own=own)
        if name in found:
            hint = f"give it once with the full {AMOUNTS[kind]}"
            raise ValidationError(f"{kind}.{name}", "applied twice", "applied once", hint)
        found[name] = amount
    if amounts:
        if len(found) > 1:
            hint = f"write {kind}=NAME:{AMOUNTS[kind].upper()}+NAME:{AMOUNTS[kind].upper()}"
            raise ValidationError(f"{kind}.{AMOUNTS[kind]}", amounts[0], "given for a single one", hint)
        found = dict.fromkeys(found, amounts[0].strip("\"'"))
    for name, amount in found.items():
        if not amount and kind == "drug":
            raise ValidationError(
                f"drug.{name}", "without a dose", "given with a dose", f'for example drug={name}:"1 uM"'
            )
    return "{" + ",".join(f"{name}:'{amount or 1}'" for name, amount in found.items()) + "}"


def check_name(kind: str, name: str, field: str = "", own: Mapping[str, Any] | None = None) -> None:
    """Refuse a disease or a drug that does not exist.

    Args:
        kind: `pathology` or `drug`.
        name: Its name.
        field: The setting that names it, if not the kind.
        own: A user's own definitions.

    Raises:
        ValidationError: With the nearest name.
    """
    if name not in KINDS[kind] and _recipe(name, own or {}, kind) is None:
        article = "a known disease" if kind == "pathology" else "a known drug"
        raise ValidationError(field or kind, repr(name), article, _nearest(name, KINDS[kind]))


def _nearest(name: str, valid: Mapping[str, Any]) -> str:
    """The likely correction; all names of which one word is meant, if there are several."""
    alike = [v for v in valid if difflib.get_close_matches(name.casefold(), v.split("_"), 1, 0.8)]
    if len(alike) < 2:
        return nearest(name, valid)
    # the one that begins so first
    begun = sorted(
        alike, key=lambda v: not difflib.get_close_matches(name.casefold(), [v.split("_")[0]], 1, 0.8)
    )
    return f"did you mean {', '.join(begun[:-1])} or {begun[-1]}?"


def read(config: Mapping[str, Any]) -> tuple[Change, dict[str, float], dict[str, str]]:
    """The diseases and drugs of a plain config: as one change, and resolved.

    Raises:
        ValidationError: For an unknown name, a severity or a dose that cannot be right.
    """
    given, own = {}, definitions_of(config)
    for kind in KINDS:
        values = config.get(kind) or {}
        if not isinstance(values, Mapping):
            raise ValidationError(
                kind, repr(values), "names with their amounts", f"for example {_EXAMPLES[kind]}"
            )
        given[kind] = {str(name): value for name, value in values.items() if value is not None}
        for name in given[kind]:
            check_name(kind, name, own=own)
    from nmjmc.junction.modifier import concentration, severity
    from nmjmc.units import to_text

    severities = {n: severity(v, f"pathology.{n}") for n, v in given["pathology"].items()}
    doses = {n: to_text(concentration(v, f"drug.{n}"), "uM") for n, v in given["drug"].items()}
    changes = [
        named(name, (_recipe(name, own, "pathology") or DISEASES[name])(value))
        for name, value in severities.items()
    ]
    changes += [agent(name, config)(dose) for name, dose in doses.items()]
    return compose(*changes), severities, doses


def agent(name: str, config: Mapping[str, Any]) -> Callable[[Any], Change]:
    """A drug by its dose.

    Args:
        name: Of the drug.
        config: Where the time stands for which it has acted.
    """
    own = definitions_of(config)
    check_name("drug", name, own=own)
    if name not in DRUGS:
        return _recipe(name, own, "drug")
    options = {"exposure": config.get("exposure", "60 s")} if name in WITH_EXPOSURE else {}
    return lambda dose: drug(name, dose, **options)


def half(name: str, config: Mapping[str, Any]) -> float | None:
    """The concentration of which `doses=auto` takes multiples [uM]; None for a drug that has none."""
    recipe = _recipe(name, definitions_of(config), "drug")
    return HALF.get(name) if recipe is None else recipe.half
