"""Diseases and drugs as words: `pathology=NAME:SEVERITY+NAME:SEVERITY`, `drug=NAME:DOSE`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.modifier import Change
from nmjmc.pathology import DISEASES, disease
from nmjmc.pharmacology import DRUGS, WITH_EXPOSURE, drug
from nmjmc.synapse.modifier import compose

KINDS: dict[str, Mapping[str, Any]] = {"pathology": DISEASES, "drug": DRUGS}
AMOUNTS = {"pathology": "severity", "drug": "dose"}
NOTHING = ("", "none", "null", "healthy")
_EXAMPLES = {"pathology": "pathology=myasthenia_gravis:0.6", "drug": 'drug=pyridostigmine:"1 uM"'}


def expand(words: Sequence[str]) -> list[str]:
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
    return [*(word for kind in KINDS for word in _expanded(kind, words, sweeping)), *rest]


def _ours(word: str) -> bool:
    key, _, value = word.lstrip("+").partition("=")
    return (key in KINDS and not value.strip().startswith("{")) or key in [
        f"{kind}.{amount}" for kind, amount in AMOUNTS.items()
    ]


def _expanded(kind: str, words: Sequence[str], sweeping: bool) -> list[str]:
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
        made = [_mapping(kind, [piece], amounts) for piece in given[0].split(",")]
        return [f"++{kind}={','.join(made)}"]
    for value in given:
        if "," in value:
            hint = f"did you mean {kind}={value.replace(' ', '').replace(',', '+')}?"
            raise ValidationError(kind, repr(value), "several names joined by +", hint)
    return [f"++{kind}={_mapping(kind, given, amounts)}"]


def _key(word: str) -> str:
    return word.lstrip("+").partition("=")[0]


def _mapping(kind: str, values: Sequence[str], amounts: Sequence[str]) -> str:
    """One or several `a:x+b:y` as a mapping in hydra's grammar."""
    found: dict[str, str] = {}
    for part in "+".join(values).split("+"):
        name, _, amount = (text.strip().strip("\"'") for text in part.partition(":"))
        check_name(kind, name)
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


def check_name(kind: str, name: str, field: str = "") -> None:
    """Refuse a disease or a drug that does not exist; `field` is the setting that names it, if not the kind.

    Raises:
        ValidationError: With the nearest name.
    """
    if name not in KINDS[kind]:
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
    given = {}
    for kind in KINDS:
        values = config.get(kind) or {}
        if not isinstance(values, Mapping):
            raise ValidationError(
                kind, repr(values), "names with their amounts", f"for example {_EXAMPLES[kind]}"
            )
        given[kind] = {str(name): value for name, value in values.items() if value is not None}
        for name in given[kind]:
            check_name(kind, name)
    from nmjmc.junction.modifier import concentration, severity
    from nmjmc.units import to_text

    severities = {n: severity(v, f"pathology.{n}") for n, v in given["pathology"].items()}
    doses = {n: to_text(concentration(v, f"drug.{n}"), "uM") for n, v in given["drug"].items()}
    changes = [disease(name, value) for name, value in severities.items()]
    changes += [agent(name, config)(dose) for name, dose in doses.items()]
    return compose(*changes), severities, doses


def agent(name: str, config: Mapping[str, Any]) -> Callable[[Any], Change]:
    """A drug by its dose.

    Args:
        name: Of the drug.
        config: Where the time stands for which it has acted.
    """
    check_name("drug", name)
    options = {"exposure": config.get("exposure", "60 s")} if name in WITH_EXPOSURE else {}
    return lambda dose: drug(name, dose, **options)
